import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { holdsCardNumber } from "../services/_runtime/card-number.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import type { ConcurrencyLimit } from "../services/_runtime/concurrency-limit.ts";
import type { EdgeAction } from "../services/_runtime/config.ts";
import type { CreateId } from "../services/_runtime/ids.ts";
import type { KeySource } from "../services/_runtime/key-files.ts";
import type { Log } from "../services/_runtime/log.ts";
import type { ServiceName } from "../services/_runtime/topology.ts";
import type { WebhookReach } from "../services/_runtime/webhook-reach.ts";
import { API_VERSION } from "../services/_views/wire.ts";
import { trackAcceptedSockets } from "./accepted-sockets.ts";
import { actionRoutes, sharedRoutes } from "./actions/actions.ts";
import { collectAllowedMethods } from "./allowed-methods.ts";
import { createAuthenticate } from "./authenticate.ts";
import { answerBrokenSocket, answerRefusedHttp, refuseHandshakes } from "./broken-socket.ts";
import { createBrowserKeys } from "./browser-keys.ts";
import { createCardLimiter } from "./card-limiter.ts";
import type { EdgeClients } from "./clients.ts";
import type { ConnectionLimits, Connections, LimitOptions } from "./connections.ts";
import { servePreflights } from "./cors.ts";
import { createEntrance } from "./entrance.ts";
import { serveErrorPage } from "./error-page.ts";
import { connectionLimitsOf, guardConnections, readOpenFilesMax } from "./guard-connections.ts";
import { healthPaths, serveHealth } from "./health.ts";
import { createHttpServer, type ServerCertificate } from "./http-server.ts";
import { serveOpenapi } from "./openapi/openapi.ts";
import { paceStrangers } from "./pace-strangers.ts";
import { encodingNotOffered } from "./problems.ts";
import { toProblem } from "./refusals.ts";
import { refuseEarly } from "./refuse-early.ts";
import { sendProblem } from "./respond.ts";
import { serveInvoicePdf } from "./serve-invoice-pdf.ts";
import { serveRoute } from "./serve-route.ts";
import { withoutSlash } from "./slash.ts";
import { createStopwatches } from "./stopwatch.ts";
import { createTrust } from "./trusted-proxies.ts";
import { methodNotAllowed, urlUnrecognized } from "./url-problems.ts";

/** What the edge stands on. */
export interface EdgeOptions {
  readonly clients: EdgeClients;
  readonly clock: Clock;
  readonly log: Log;
  readonly createId: CreateId;
  /** The public actions this edge serves; the routes of the others are a 404. */
  readonly actions: readonly EdgeAction[];
  /** The keys of the HMACs by which repeated requests and links are known: the same for every edge of a Tripe. */
  readonly requestKeys: KeySource;
  /** Where on this machine merchants may name endpoints. */
  readonly reach: WebhookReach;
  /** The origin of every link; undefined where the request's host has to do, for sandbox accounts alone. */
  readonly publicUrl?: string | undefined;
  /** How many days past its due date an invoice's link opens. */
  readonly pdfLinkDays: number;
  /** Addresses and networks of the proxies whose X-Forwarded-For and -Proto count (TRIPE_TRUSTED_PROXIES); default none. */
  readonly trustedProxies?: readonly string[];
  /** Other limits than usual, for tests. */
  readonly connectionLimits?: Partial<ConnectionLimits>;
  /** Another limit of the requests in progress than usual, for tests. */
  readonly concurrencyLimit?: ConcurrencyLimit;
  /** The certificate over which it speaks HTTPS alone; undefined where it speaks HTTP. */
  readonly certificate?: ServerCertificate | undefined;
  /** Whether live accounts have a bank; without one what needs it is refused for them. */
  readonly hasLiveBank: boolean;
  /** Asks a service whether it is SERVING; false when it does not say in time. */
  isServing(service: ServiceName): Promise<boolean>;
  /** When the certificate ends by which it proves its name to services; absent where services do not speak TCP. */
  readonly certificateExpiryMs?: () => number;
}

// 7-reliability.md, "Limits"; those of HTTP itself are in http-server.ts.
const BODY_MAX_BYTES = 65_536;
// Longer than any id. One that is too long for an id is a 404; beyond this the router answers 414.
const PATH_PARAMETER_MAX = 1_000;

/** Makes the public API: a Fastify app that tests ask by `inject`, and main listens with. */
export function createEdge(options: EdgeOptions): FastifyInstance {
  const { clock, createId } = options;
  const isTrusted = createTrust(options.trustedProxies ?? []);
  const limits = { ...connectionLimitsOf(readOpenFilesMax()), ...options.connectionLimits };
  const entrance = createEntrance(options);
  const app = fastify({
    logger: false,
    bodyLimit: BODY_MAX_BYTES,
    // One server, also for a host of several addresses such as "localhost": Fastify's own would go round these limits.
    serverFactory: (app) => createHttpServer(refuseEarly(app, { ...options, entrance }), { ...options, ...limits }),
    routerOptions: { maxParamLength: PATH_PARAMETER_MAX },
    exposeHeadRoutes: true,
    trustProxy: isTrusted,
    // What arrives on an open connection while the edge ends is still answered: the drain waits for it.
    return503OnClosing: false,
    rewriteUrl: ({ url = "", headers }) => withoutSlash(url, headers),
    genReqId: () => createId("req_"),
    clientErrorHandler: (error, socket) => answerBrokenSocket(error, socket, createId("req_")),
    // Before there is a route there are no hooks either.
    frameworkErrors: (error, request, reply) => {
      addHeaders(request, reply);
      sendProblem(reply, toProblem(error));
    },
  });
  // Hooks call back: an async one costs a promise and a turn of the microtasks in every request.
  app.addHook("onRequest", (request, reply, done) => {
    addHeaders(request, reply);
    done();
  });
  const connections = guardServer(app, { ...options, limits, isTrusted });
  logAccesses(app, options);
  paceStrangers(app, clock);
  const allowedMethods = collectAllowedMethods(app);
  const refuseUnknown = (request: FastifyRequest, reply: FastifyReply) => {
    const [path = ""] = request.url.split("?", 1);
    const allowed = allowedMethods(path);
    const isPath = allowed.length > 0;
    return sendProblem(
      reply,
      isPath ? methodNotAllowed(request.method, allowed) : urlUnrecognized(request.method, path),
    );
  };
  // Before the body is read: whatever it is, it is not wanted.
  app.addHook("onRequest", (request, reply, done) => {
    if (request.is404) refuseUnknown(request, reply);
    else done();
  });
  readBodiesUnparsed(app);
  app.setNotFoundHandler(refuseUnknown);
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, toProblem(error)));
  // Before the routes, so that its hook is theirs.
  serveErrorPage(app, options.publicUrl);
  const routes = [...options.actions.flatMap((action) => actionRoutes[action]), ...sharedRoutes];
  const serving = {
    ...options,
    connections,
    authenticate: createAuthenticate({ reader: options.clients.reader, clock }),
    browserKeys: createBrowserKeys(options),
    cards: createCardLimiter(clock),
    entrance,
    time: createStopwatches(clock),
  };
  for (const route of routes) serveRoute(app, route, serving);
  servePreflights(app, routes);
  if (options.actions.includes("invoices")) serveInvoicePdf(app, serving);
  serveHealth(app, options);
  serveOpenapi(app, routes);
  return app;
}

function guardServer(app: FastifyInstance, options: Omit<LimitOptions, "acceptedOf"> & EdgeOptions): Connections {
  const { server } = app;
  const createRequestId = () => options.createId("req_");
  // Fastify leaves a server that it did not make and that does not listen as it is, with Node's timer on it.
  app.addHook("onClose", async () => (server.listening ? undefined : server.close()));
  const acceptedOf = trackAcceptedSockets(server);
  refuseHandshakes(server, acceptedOf, createRequestId);
  answerRefusedHttp(server, createRequestId);
  return guardConnections(app, { ...options, acceptedOf });
}

// Bodies are read by the decoder, after the key was checked: nothing is parsed for strangers.
function readBodiesUnparsed(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addHook("onRequest", ({ method, headers }, reply, done) => {
    const encoding = method === "POST" ? headers["content-encoding"] : undefined;
    if (encoding !== undefined && !/^(identity)?$/i.test(encoding)) sendProblem(reply, encodingNotOffered());
    else done();
  });
  const kinds = { "application/x-www-form-urlencoded": "form", "application/json": "json" } as const;
  for (const [contentType, kind] of Object.entries(kinds)) {
    app.addContentTypeParser(contentType, { parseAs: "buffer" }, (_request, bytes, done) =>
      done(null, { kind, bytes }),
    );
  }
}

function addHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header("request-id", request.id);
  // What a merchant wrote is never run as a script, whatever a browser makes of it.
  reply.header("x-content-type-options", "nosniff");
  // What was served, whatever was asked for: there is one shape.
  reply.header("stripe-version", API_VERSION);
  const key = request.method === "POST" ? printable(request.headers["idempotency-key"]) : undefined;
  if (key !== undefined) reply.header("idempotency-key", key);
}

// What a client sent comes back to it, unless a header could not carry it, or it holds a card number.
function printable(header: string | string[] | undefined): string | undefined {
  const isPrintable = typeof header === "string" && /^[\x20-\x7e]{1,255}$/.test(header);
  return isPrintable && !holdsCardNumber(header) ? header : undefined;
}

// The pattern of the route is logged, never the URL: that may hold an email address, or worse.
function logAccesses(app: FastifyInstance, { log, clock }: EdgeOptions): void {
  app.addHook("onResponse", (request, reply, done) => {
    const { url = "none" } = request.routeOptions;
    if (!healthPaths.has(url) || reply.statusCode !== 200) {
      log.access(`${request.method} ${url}`, {
        request_id: request.id,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 100) / 100,
        end_ms: clock.nowMs(),
      });
    }
    done();
  });
}
