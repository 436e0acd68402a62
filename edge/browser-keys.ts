import type { Clock } from "../services/_runtime/clock.ts";
import type { Log } from "../services/_runtime/log.ts";
import { createBoundedCache } from "./bounded-cache.ts";
import type { EdgeClients } from "./clients.ts";

// An alert stays open until a person has dealt with it: once an hour is often enough to open it again.
const REPORT_EVERY_MS = 3_600_000;

// Keys that merchants put into pages by mistake.
const KEYS_MAX = 1_000;

/** Reports secret and restricted keys that come from a browser, where anybody can read them. */
export interface BrowserKeys {
  /** Reports a key, once an hour. It returns at once: the request goes on. */
  report(key: { accountId: string; apiKeyId: string }): void;
}

/** What a reporter stands on. */
export interface BrowserKeysOptions {
  readonly clients: Pick<EdgeClients, "writer">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes a reporter. */
export function createBrowserKeys({ clients, clock, log }: BrowserKeysOptions): BrowserKeys {
  const reported = createBoundedCache<number>({ sizeMax: KEYS_MAX });
  return {
    report({ accountId, apiKeyId }) {
      const lastMs = reported.get(apiKeyId);
      if (lastMs !== undefined && clock.nowMs() - lastMs < REPORT_EVERY_MS) return;
      reported.set(apiKeyId, clock.nowMs());
      clients.writer.reportBrowserKey({ accountId, apiKeyId }).catch((error: unknown) => {
        reported.delete(apiKeyId);
        log.error("a key in a browser was not reported", error, { api_key_id: apiKeyId });
      });
    },
  };
}
