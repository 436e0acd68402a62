import { databaseUnavailable } from "../_database/guard.ts";
import { createRefusal } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";

/** A heartbeat takes some 2 ms; /readyz is to know within two seconds of a database that stands still (edge/health.ts). */
const ANSWER_MAX_MS = 800;

const WRITE = { name: "write_heartbeat", text: "select write_heartbeat()" };

/**
 * Creates the rpc that writes to the database as a charge does. One heartbeat at a time, however many ask; whoever asks while
 * one stands still is refused once ANSWER_MAX_MS are over, and the heartbeat's own connection is dropped by connect.ts.
 */
export function createCheckDatabase({ database, clock }: WriterDependencies): () => Promise<object> {
  let running: Promise<unknown> | undefined;
  const write = () => {
    const written = database.query(WRITE, []).finally(() => {
      running = undefined;
    });
    // Whoever asked may have been answered by then.
    written.catch(() => undefined);
    return written;
  };
  return async () => {
    running ??= write();
    const answered = new AbortController();
    const silence = clock.sleep(ANSWER_MAX_MS, answered.signal).then(() => {
      throw createRefusal(databaseUnavailable("does not answer"));
    });
    silence.catch(() => undefined);
    try {
      await Promise.race([running, silence]);
    } finally {
      answered.abort();
    }
    return {};
  };
}
