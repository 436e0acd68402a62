import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Clock } from "../services/_runtime/clock.ts";
import type { CreateId } from "../services/_runtime/ids.ts";
import type { Log } from "../services/_runtime/log.ts";
import { API_VERSION } from "../services/_views/wire.ts";
import type { Entrance } from "./entrance.ts";
import type { Problem } from "./problem.ts";
import { envelopeOf } from "./respond.ts";

/** What refusing takes. */
export interface RefuseEarlyOptions {
  readonly entrance: Pick<Entrance, "problem">;
  readonly createId: CreateId;
  readonly clock: Clock;
  readonly log: Log;
}

/** One line in the log for all that was refused in so long: a line for each would cost as much as the answer. */
const LOG_MS = 1_000;

/**
 * Puts a refusal before an app: under an overload requests with a key that find no place are answered here, at a fraction of what the
 * app's hooks and its line in the log take. Several times the load that can be carried then leaves the machine to what is carried.
 */
export function refuseEarly(listener: RequestListener, options: RefuseEarlyOptions): RequestListener {
  const { entrance, createId } = options;
  const count = createRefusalLog(options);
  const answers = new WeakMap<Problem, PreparedAnswer>();
  return (request, response) => {
    const problem = needsPlace(request) ? entrance.problem(requestOf(request)) : undefined;
    if (problem === undefined) return listener(request, response);
    const answer = answers.get(problem) ?? prepareAnswer(problem);
    answers.set(problem, answer);
    send(response, answer, createId("req_"));
    count();
  };
}

function needsPlace({ url = "", headers }: IncomingMessage): boolean {
  return headers.authorization !== undefined && url.startsWith("/v1/");
}

// Which lists yield is known once there is a route; here every request is one that does not.
function requestOf({ socket, headers }: IncomingMessage) {
  return { isYielding: false, socket, authorization: headers.authorization };
}

interface PreparedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function prepareAnswer(problem: Problem): PreparedAnswer {
  const body = JSON.stringify(envelopeOf(problem));
  const headers = {
    ...problem.headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    "x-content-type-options": "nosniff",
    "stripe-version": API_VERSION,
  };
  return { status: problem.status, headers, body };
}

function send(response: ServerResponse, answer: PreparedAnswer, requestId: string): void {
  response.writeHead(answer.status, { ...answer.headers, "request-id": requestId });
  response.end(answer.body);
}

function createRefusalLog({ clock, log }: RefuseEarlyOptions): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count > 1) return;
    clock.setTimer(() => {
      log.warn("requests were refused: more came than can be carried", { count });
      count = 0;
    }, LOG_MS);
  };
}
