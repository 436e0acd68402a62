import { Code, ConnectError } from "@connectrpc/connect";
import { currentCall, detachCall, runCall } from "../services/_runtime/call.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import { refusalOf } from "../services/_runtime/errors.ts";
import { createBoundedCache } from "./bounded-cache.ts";
import { clientOf } from "./client-address.ts";
import { createKeyBatches, type FoundKey, type KeyReader } from "./key-batches.ts";

/** Finds keys by their SHA-256, in base64. */
export interface ApiKeyLookup {
  /**
   * The key of a hash; undefined when there is none. A key that was found before is read at once, before new ones. Throws a
   * Problem, 429 or 503, when too many keys that were never found wait to be looked up.
   */
  find(sha256: string, client: { readonly ip: string }): Promise<FoundKey | undefined>;
}

// A revoked key ends this much later at most; a busy merchant's key is then read once in 5 s instead of at every call.
const FRESH_MS = 5_000;

// Keys in use at once: some thousands of merchants on one edge. A known key stays known while it is used, however old.
const KNOWN_MAX = 10_000;

// In a map of their own, so that no search drops the key of a merchant.
const WRONG_MAX = 10_000;

interface KnownKey {
  readonly freshUntilMs: number;
  readonly found: FoundKey;
}

/** Makes a lookup with nothing known. */
export function createApiKeyLookup({ reader, clock }: { reader: KeyReader; clock: Clock }): ApiKeyLookup {
  const known = createBoundedCache<KnownKey>({ sizeMax: KNOWN_MAX });
  const wrong = createBoundedCache<number>({ sizeMax: WRONG_MAX });
  const reading = new Map<string, Promise<FoundKey | undefined>>();
  const batches = createKeyBatches({ reader, clock });
  const keep = (name: string, found: FoundKey | undefined) => {
    const freshUntilMs = clock.nowMs() + FRESH_MS;
    if (found === undefined) {
      known.delete(name);
      wrong.set(name, freshUntilMs);
    } else {
      known.set(name, { freshUntilMs, found });
    }
    return found;
  };
  // Requests that arrive together share one read. A reader that is away says nothing about the key: nothing is kept.
  const share = (name: string, read: () => Promise<FoundKey | undefined>) => {
    const begun = reading.get(name);
    if (begun !== undefined) return begun;
    const started = alone(read)
      .then((found) => keep(name, found))
      .finally(() => reading.delete(name));
    reading.set(name, started);
    return started;
  };
  return {
    async find(name, client) {
      const old = known.get(name);
      if (old !== undefined) {
        return old.freshUntilMs > clock.nowMs() ? old.found : share(name, () => readOne(reader, bytesOf(name)));
      }
      if ((wrong.get(name) ?? 0) > clock.nowMs()) return undefined;
      return share(name, () => batches.find(bytesOf(name), clientOf(client.ip)));
    },
  };
}

function bytesOf(sha256: string): Buffer {
  return Buffer.from(sha256, "base64");
}

// The request that asks first may be given up; those that wait for the same answer must not be given up with it.
function alone<T>(work: () => T): T {
  const call = currentCall();
  return call === undefined ? work() : runCall(detachCall(call), work);
}

async function readOne(reader: KeyReader, keySha256: Buffer) {
  try {
    return await reader.getApiKey({ keySha256 });
  } catch (error) {
    const isNobodys = error instanceof ConnectError && error.code === Code.NotFound && refusalOf(error) !== undefined;
    if (isNobodys) return undefined;
    throw error;
  }
}
