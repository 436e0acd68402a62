import type { FastifyInstance } from "fastify";
import type { Clock } from "../services/_runtime/clock.ts";
import { clientOf } from "./client-address.ts";
import type { Problem } from "./problem.ts";
import { overloaded, tooManyAtOnce } from "./problems.ts";
import { createRateLimiter, REFUSAL_DELAY_MS } from "./rate-limiter.ts";

// Requests that no key is asked for, or that bring none: links to PDFs, /openapi.json, what no route has. More than an office or a crawler sends.
const OF_CLIENT_MAX = 100;

// Of all clients together. At some 0.3 ms each they take a tenth of the time of the edge.
const PER_SECOND_MAX = 300;

// Cheap, and asked by those who decide whether this edge gets any requests at all.
const healthPaths: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/**
 * Refuses requests that no key stands for beyond a rate, late: a client that asks again as soon as it is answered takes no time from
 * merchants. What comes with a key is judged where keys are looked up (authenticate.ts).
 */
export function paceStrangers(app: FastifyInstance, clock: Clock): void {
  const ofClient = createRateLimiter({ clock, perSecondMax: OF_CLIENT_MAX });
  const ofAll = createRateLimiter({ clock, perSecondMax: PER_SECOND_MAX });
  const refuse = (problem: Problem, done: (error: Error) => void) =>
    void clock.sleep(REFUSAL_DELAY_MS).then(() => done(problem));
  app.addHook("onRequest", (request, _reply, done) => {
    const { url } = request;
    const isJudgedByKey = request.headers.authorization !== undefined && url.startsWith("/v1/") && !request.is404;
    if (isJudgedByKey || healthPaths.has(url)) done();
    else if (!ofClient.count(clientOf(request.ip))) refuse(tooManyAtOnce(), done);
    else if (!ofAll.count("")) refuse(overloaded(), done);
    else done();
  });
}
