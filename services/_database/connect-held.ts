import type { Client } from "pg";
import { systemClock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";

/** One connection held for good: a client while the server answers, the reason while it does not. */
export interface Held {
  /** The client of now. Waits for a connection under way; rejects at once while the server is known to be away. */
  client(): Promise<Client>;
  /** How many users it has at the moment; kept by its users. */
  usersCount: number;
  close(): Promise<void>;
}

/** The first wait before connecting again: as long as a restarted local Postgres needs (30–60 ms, 9-tried.md). */
const backoffMinMs = 50;

/** The longest: Tripe answers again within a second of its database. */
const backoffMaxMs = 1_000;

/** Connects now, and again whenever the connection is lost, with waits from 50 ms doubling to 1 s. */
export function createHeld(createClient: () => Client, log: Log): Held {
  const closing = new AbortController();
  let current = connect(backoffMinMs);
  return { client: () => current, usersCount: 0, close };

  async function connect(backoffMs: number): Promise<Client> {
    const client = createClient();
    let isConnected = false;
    client.on("error", (error) => log.warn("a database connection was lost", { error: error.message }));
    client.once("end", () => {
      if (isConnected && !closing.signal.aborted) current = connect(backoffMinMs);
    });
    try {
      await client.connect();
      isConnected = true;
      return client;
    } catch (error) {
      void tryLater(backoffMs);
      throw error;
    }
  }

  async function tryLater(backoffMs: number): Promise<void> {
    current.catch(() => undefined);
    await systemClock.sleep(backoffMs, closing.signal).catch(() => undefined);
    if (closing.signal.aborted) return;
    // Until this attempt is decided, queries still get the old reason at once.
    const attempt = connect(Math.min(backoffMs * 2, backoffMaxMs));
    attempt.then(
      () => (current = attempt),
      () => undefined,
    );
  }

  async function close(): Promise<void> {
    closing.abort();
    await current.then((client) => client.end()).catch(() => undefined);
  }
}
