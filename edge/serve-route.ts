import { Code, ConnectError } from "@connectrpc/connect";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiKeyKind } from "../gen/tripe/billing/v1/account_pb.ts";
import { type Call, createCall, runCall } from "../services/_runtime/call.ts";
import { parseTraceparent } from "../services/_runtime/headers.ts";
import { pdfUrlOf } from "../services/_views/pdf-link.ts";
import type { Access, Authenticate } from "./authenticate.ts";
import type { BrowserKeys } from "./browser-keys.ts";
import type { CardLimiter } from "./card-limiter.ts";
import type { Connections } from "./connections.ts";
import { addCors, isForBrowsers } from "./cors.ts";
import { decode } from "./decode/decode.ts";
import { mergeParameters, readBody, readQuery, type UnreadBody } from "./decode/read.ts";
import { isStorable } from "./decode/text.ts";
import type { EdgeOptions } from "./edge.ts";
import { type Entrance, refuseWhenFull } from "./entrance.ts";
import { readExpand } from "./expand.ts";
import { readIdempotencyKey, withIdentity } from "./idempotency.ts";
import { type Scope, scopeOf, scopesOfExpanded } from "./key-scopes.ts";
import type { Mentions } from "./mentions.ts";
import { pathsNotIds } from "./paths-not-ids.ts";
import { Problem } from "./problem.ts";
import {
  headerNotOffered,
  httpsRequired,
  keyNotAllowed,
  liveBankMissing,
  resourceMissing,
  scopeMissing,
} from "./problems.ts";
import { createReads } from "./reads.ts";
import { toProblem } from "./refusals.ts";
import { sendProblem } from "./respond.ts";
import { type Answer, type PublicRequest, pathsOf, type Route } from "./route.ts";
import { addTiming, type Stopwatch } from "./stopwatch.ts";
import { isPrivate } from "./transport.ts";
import { urlUnrecognized } from "./url-problems.ts";

/** What routes are served with: the edge's own dependencies, its door, and its limit. */
export interface Serving extends EdgeOptions {
  readonly authenticate: Authenticate;
  readonly connections: Connections;
  readonly browserKeys: BrowserKeys;
  readonly cards: CardLimiter;
  /** To the requests in progress. */
  readonly entrance: Entrance;
  /** Measures a request, for the entrance. */
  readonly time: (route: Route, call: Call) => Stopwatch;
}

// 3-money.md: a client waits 8 s at most, a new card's verification and all: then the bank has not spoken, and it is told so.
const ANSWER_MS = 8_000;

/** Serves one route under all its paths: key, parameters, work, answer; whatever is thrown becomes the envelope. */
export function serveRoute(app: FastifyInstance, route: Route, serving: Serving): void {
  const needs = scopeOf(route);
  const refuse = refuseWhenFull(serving.entrance, route.isList === true);
  for (const { path: url } of pathsOf(route)) {
    app.route({
      method: route.method,
      url,
      onRequest: isForBrowsers(route) ? [addCors, refuse] : refuse,
      handler: (request, reply) => handle({ route, needs, serving, request, reply }),
    });
  }
}

interface Handling {
  readonly route: Route;
  /** What a restricted key must grant. */
  readonly needs: Scope;
  readonly serving: Serving;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function handle({ route, needs, serving, request, reply }: Handling): Promise<unknown> {
  const call = startCall(serving, request);
  const stopwatch = serving.time(route, call);
  // Money is not given up because a client hung up: only reads end with their client.
  if (route.method === "GET") {
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) call.cancel(canceled("the client is gone"));
    });
  }
  let mentions: Mentions = {};
  const known = (found: Mentions) => {
    mentions = found;
  };
  try {
    return await runCall(call, async () => {
      // Before a place is taken: whoever tries wrong keys takes none from a merchant.
      const { scope = "secret" } = route;
      const access = await serving.authenticate(request.headers, { scope, needs, client: request });
      // A publishable key stands in web pages: everybody has it.
      const isFromPage = access.kind === ApiKeyKind.PUBLISHABLE;
      if (!isFromPage) serving.connections.welcome(request.raw.socket);
      const { accountId } = access.account;
      const isYielding = route.isList === true || (serving.hasLiveBank && !access.account.isLive);
      const address = isFromPage ? request.ip : "";
      const { socket, headers } = request.raw;
      const origin = { address, socket, authorization: headers.authorization };
      const leave = await serving.entrance.enter({ accountId, isFromPage, isYielding, ...origin });
      try {
        return await work({ route, serving, request, reply, call, stopwatch, access, known });
      } finally {
        leave(stopwatch.read());
      }
    });
  } catch (error) {
    // What still runs beside the part that failed is of no use any more.
    call.cancel(canceled("another part of the request failed"));
    const problem = toProblem(error, mentions);
    if (problem.status === 500) {
      serving.log.error("a request failed", problem.cause, { request_id: request.id, route: route.path });
    }
    addTiming(reply, stopwatch);
    return sendProblem(reply, problem);
  }
}

interface Work extends Omit<Handling, "needs"> {
  readonly call: Call;
  readonly stopwatch: Stopwatch;
  readonly access: Access;
  /** Told which ids the request names, as soon as they are known. */
  known(mentions: Mentions): void;
}

const accountHeaders = [
  ["Stripe-Account", "stripe-account"],
  ["Stripe-Context", "stripe-context"],
] as const;

// A program that names another account means to charge for that one: its money must not land here.
function refuseOtherAccounts({ headers }: FastifyRequest, accountId: string): void {
  for (const [name, header] of accountHeaders) {
    const given = headers[header];
    if (given !== undefined && given !== "" && given !== accountId) throw headerNotOffered(name);
  }
}

async function work({ route, serving, request, reply, call, stopwatch, access, known }: Work): Promise<unknown> {
  const { account } = access;
  // Only browsers say where a page came from.
  if (request.headers.origin !== undefined && access.kind !== ApiKeyKind.PUBLISHABLE) {
    serving.browserKeys.report({ accountId: account.accountId, apiKeyId: access.apiKeyId });
  }
  const isSafe = isPrivate(request);
  if (account.isLive) {
    // Only a sandbox key is shown how Tripe works inside.
    stopwatch.hide();
    if (!isSafe) throw httpsRequired("Live keys");
    if (route.needsBank === true && !serving.hasLiveBank) throw liveBankMissing();
  }
  refuseOtherAccounts(request, account.accountId);
  const id = readId(request);
  const key = route.method === "POST" ? readIdempotencyKey(request.headers["idempotency-key"]) : undefined;
  const params = decode(route.params, readParameters(request));
  known(route.mentions?.(id, params) ?? {});
  const { accountId } = account;
  const { clock, createId, requestKeys: keys } = serving;
  const publicRequest: Omit<PublicRequest, "identity"> = {
    clients: serving.clients,
    reads: createReads(serving.clients, accountId),
    clock,
    createId,
    account,
    accountId,
    id,
    ...(access.kind === ApiKeyKind.PUBLISHABLE && { browser: { countCard: () => serving.cards.count(request.ip) } }),
    isPrivate: isSafe,
    askedVersion: request.headers["stripe-version"]?.toString(),
    isRepeatable: key !== undefined,
    reach: serving.reach,
    invoicePdfUrl: ({ invoiceId, createTime, finalizeTime, dueTime }) => {
      const origin = serving.publicUrl ?? (account.isLive ? undefined : originOf(request));
      const options = { keys, days: serving.pdfLinkDays, nowMs: clock.nowMs() };
      return origin === undefined
        ? undefined
        : pdfUrlOf({ accountId, invoiceId, createTime, finalizeTime, dueTime }, { ...options, origin });
    },
    expand: grantedExpand(access, readExpand(route, expandOf(params))),
  };
  // From here on whatever is written is caused by this request, and tells so with the client's own key.
  call.clientKey = key ?? "";
  const isFromPage = access.kind === ApiKeyKind.PUBLISHABLE;
  const write = { key, isFromPage, accountId, method: route.method, path: `${route.path}#${id}`, params };
  let requestId = "";
  const {
    body,
    headers,
    isReplayed = false,
  } = await withIdentity(write, { keys, createId }, (identity) => {
    if (route.method !== "GET") requestId = identity.requestId;
    return runOrReplay(route, { ...publicRequest, identity }, params);
  });
  const original = isReplayed ? await findOriginal(serving, { accountId, requestId }) : request.id;
  if (key !== undefined && original !== "") reply.header("original-request", original);
  addTiming(reply, stopwatch);
  if (isReplayed) reply.header("idempotent-replayed", "true");
  if (headers !== undefined) reply.headers(headers);
  return body instanceof Problem ? sendProblem(reply, body) : reply.send(body);
}

/**
 * Runs a route. When it ends in a 4xx, a write with a key is answered with what an equal one stored, if one did: what stands
 * against it now may have come after it.
 */
async function runOrReplay(route: Route, request: PublicRequest, params: Parameters<Route["run"]>[1]): Promise<Answer> {
  try {
    return await route.run(request, params);
  } catch (error) {
    const { accountId, clients, identity, isRepeatable } = request;
    const isRefused = toProblem(error, {}).status < 500;
    if (!isRepeatable || !isRefused || route.replay === undefined) throw error;
    const key = { accountId, requestId: identity.requestId, requestDigest: identity.digest };
    const { answer } = await clients.writer.findAnswer(key);
    if (answer === undefined) throw error;
    return route.replay(request, answer.noun, params);
  }
}

/** The request that was answered first under a key. Without it the answer is as good: it is left out when it cannot be read. */
async function findOriginal({ clients }: Serving, key: { accountId: string; requestId: string }): Promise<string> {
  try {
    return (await clients.reader.getOriginalRequest(key)).publicRequestId;
  } catch {
    return "";
  }
}

/** What a key may not read it may not expand either. */
function grantedExpand(access: Access, expand: ReadonlySet<string>): ReadonlySet<string> {
  if (expand.size === 0) return expand;
  const missing = scopesOfExpanded(expand).find((scope) => !access.grants(scope));
  if (missing !== undefined) throw access.kind === ApiKeyKind.RESTRICTED ? scopeMissing(missing) : keyNotAllowed();
  return expand;
}

function startCall({ clock }: Serving, request: FastifyRequest): Call {
  const traceparent = request.headers["traceparent"];
  const given = parseTraceparent(typeof traceparent === "string" ? traceparent : undefined);
  // A trace's id is logged. One in three million has digits only, and among those may be a card number.
  const trace = given === undefined || /^\d+$/.test(given.traceId) ? undefined : given;
  const deadlineMs = clock.nowMs() + ANSWER_MS;
  return createCall(
    {
      caller: "client",
      requestId: request.id,
      deadlineMs,
      spans: [],
      ...(trace === undefined ? {} : { traceId: trace.traceId }),
    },
    clock,
  );
}

// The host is the client's own word, and comes back to that client only; what cannot be one is left out of the link.
function originOf({ protocol, host }: FastifyRequest): string {
  return /^[\w.:[\]-]{1,255}$/.test(host) ? `${protocol}://${host}` : "";
}

// Ids of other makes have at most 64 characters, as the contracts say; a longer one names nothing.
function readId(request: FastifyRequest): string {
  const id = pathId(request.params);
  if (id === undefined) return "";
  if (id === "" || pathsNotIds.has(id)) throw urlUnrecognized(request.method, pathOf(request));
  if (id.length > 64 || !isStorable(id)) throw resourceMissing({ noun: "object", id, param: "id" });
  return id;
}

function pathId(params: unknown): string | undefined {
  if (typeof params !== "object" || params === null || !("id" in params)) return undefined;
  return String(params.id);
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

function readParameters(request: FastifyRequest) {
  const query = readQuery(request.url);
  const { body } = request;
  return isUnread(body) ? mergeParameters(query, readBody(body)) : query;
}

function isUnread(body: unknown): body is UnreadBody {
  return typeof body === "object" && body !== null && "bytes" in body;
}

function expandOf(params: object): readonly string[] | undefined {
  return "expand" in params && Array.isArray(params.expand) ? params.expand.map(String) : undefined;
}

function canceled(message: string): ConnectError {
  return new ConnectError(message, Code.Canceled);
}
