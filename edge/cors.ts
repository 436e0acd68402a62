import type { FastifyInstance, onRequestHookHandler } from "fastify";
import type { Route } from "./route.ts";

// Cross-origin requests, as https://fetch.spec.whatwg.org/#http-cors-protocol defines them. Pages of any origin may send
// cards to the routes that take a publishable key, and to no other: without these headers a browser refuses. A key is sent
// by the page itself, never by the browser, so no credentials are allowed.

// What stripe.js and the official SDKs send beside the headers that need no permission.
const requestHeaders =
  "authorization, content-type, idempotency-key, stripe-version, x-stripe-client-telemetry, x-stripe-client-user-agent";

// How long a browser may keep the permission: changes of these routes come with a release. Chromium keeps it for two hours
// at most.
const PREFLIGHT_MAX_AGE_S = 7_200;

/** Adds the headers by which a page of any origin may read an answer, and its Request-Id. */
export const addCors: onRequestHookHandler = (_request, reply, done) => {
  reply.headers({ "access-control-allow-origin": "*", "access-control-expose-headers": "request-id" });
  done();
};

/** Whether pages of other origins may call this route. */
export function isForBrowsers({ scope }: Pick<Route, "scope">): boolean {
  return scope === "publishable";
}

/** Answers the question that a browser asks ahead of such a call, which comes without a key. */
export function servePreflights(app: FastifyInstance, routes: readonly Route[]): void {
  for (const route of routes.filter(isForBrowsers)) {
    app.options(route.path, { onRequest: addCors }, (_request, reply) =>
      reply
        .headers({
          "access-control-allow-methods": route.method,
          "access-control-allow-headers": requestHeaders,
          "access-control-max-age": PREFLIGHT_MAX_AGE_S,
        })
        .code(204)
        .send(),
    );
  }
}
