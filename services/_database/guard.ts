import { Code, type ConnectError } from "@connectrpc/connect";
import { createRefusal, type Refusal } from "../_runtime/errors.ts";
import { type Database, isRetryable } from "./connect.ts";
import { outageOf } from "./outage.ts";

/** A deadlock's or a serialization failure's statements run again at once, so often at most: the other side has committed. */
const TRIES_MAX = 4;

/** What Postgres says when a statement or a wait for a lock took too long. Nothing of the statement took effect. */
const TIMED_OUT = new Set(["57014", "55P03"]);

/**
 * A database whose troubles are refusals: one that cannot serve now (away, full, read-only, out of connections, with another
 * password) is UNAVAILABLE (reason DATABASE_UNAVAILABLE, the message says why; whether the statement took effect is
 * unknown), too slow is ABORTED (DATABASE_BUSY; it took none). Deadlocks and serialization failures are tried again
 * first. Everything else, violated constraints above all, is passed on as it is.
 */
export function guardDatabase<Tables>(database: Database<Tables>): Database<Tables> {
  return {
    ...database,
    query: (statement, values) => guarded(() => database.query(statement, values)),
    transaction: (work) => guarded(() => database.transaction(work)),
  };
}

async function guarded<Answer>(run: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (isRetryable(error) && tries < TRIES_MAX) continue;
      throw translated(error);
    }
  }
}

function translated(error: unknown): unknown {
  const busy = { code: Code.Aborted, reason: "DATABASE_BUSY", message: "the database is too busy", field: "" };
  const outage = outageOf(error);
  if (outage !== undefined) return caused(createRefusal(databaseUnavailable(outage)), error);
  if (isRetryable(error) || TIMED_OUT.has(codeOf(error))) return caused(createRefusal(busy), error);
  return error;
}

/** The refusal of a database that cannot serve now; `outage` are words of outage.ts. */
export function databaseUnavailable(outage: string): Refusal {
  const message = `the database ${outage}`;
  return { code: Code.Unavailable, reason: "DATABASE_UNAVAILABLE", message, field: "" };
}

function caused(refusal: ConnectError, cause: unknown): ConnectError {
  refusal.cause = cause;
  return refusal;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
