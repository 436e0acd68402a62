import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";

/** How the mail server was when it was last tried. */
export interface ServerState {
  /** Why the last try failed, as words that follow "the mail server"; empty when all is well. */
  readonly problem: string;
  /** When the first of the failed tries ended, in milliseconds since 1970; 0 without a problem. */
  readonly problemMs: number;
}

/** Knows how the mail server is: by each mail, by a try at the start, and by further tries while it is away. */
export interface ServerWatch {
  state(): ServerState;
  /** Notes how a try ended; the empty problem is a good end. */
  note(problem: string): void;
  /** Tries at once, in the background, and again after each problem until a try succeeds. */
  start(tryServer: () => Promise<string>): void;
  stop(): void;
}

/** Tries while the server is away: soon at first, for a restart, then once a minute, which no server takes for an attack. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;

/** Creates the watch over a mail server. `tryServer` connects, greets and logs in, and resolves to the problem. */
export function createServerWatch({ clock, log }: { readonly clock: Clock; readonly log: Log }): ServerWatch {
  const stopping = new AbortController();
  let state: ServerState = { problem: "", problemMs: 0 };
  let retrying = false;
  let attempt: (() => Promise<string>) | undefined;

  const note = (problem: string) => {
    if (problem === "" && state.problem !== "") log.info("the mail server can be reached again");
    if (problem !== "" && state.problem === "") log.warn("the mail server cannot be reached", { problem });
    state = { problem, problemMs: problem === "" ? 0 : state.problemMs || clock.nowMs() };
    if (problem !== "") void retry();
  };
  const retry = async () => {
    if (retrying || attempt === undefined) return;
    retrying = true;
    for (let waitMs = RETRY_MIN_MS; state.problem !== ""; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      await clock.sleep(waitMs, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      if (state.problem !== "") note(await attempt());
    }
    retrying = false;
  };
  return {
    state: () => state,
    note,
    start(tryServer) {
      attempt = tryServer;
      void tryServer().then((problem) => {
        if (!stopping.signal.aborted) note(problem);
      });
    },
    stop: () => stopping.abort(),
  };
}
