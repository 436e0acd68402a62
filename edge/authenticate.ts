import { createHash } from "node:crypto";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { Account } from "../gen/tripe/billing/v1/account_pb.ts";
import { ApiKeyKind } from "../gen/tripe/billing/v1/account_pb.ts";
import type { GetApiKeyResponse, ReaderService } from "../gen/tripe/reader/v1/reader_service_pb.ts";
import { currentCall, runCall } from "../services/_runtime/call.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import { assert, refusalOf } from "../services/_runtime/errors.ts";
import { keyExpired, keyInvalid, keyMissing, keyNotAllowed, keyRevoked, tooManyWrongKeys } from "./problems.ts";

/** Which keys a route takes: `secret` for most, `publishable` where a browser may ask, too. */
export type KeyScope = "publishable" | "secret";

/** Finds the account a request acts for. Throws a Problem: 401, 403 or 429. */
export type Authenticate = (
  headers: { authorization?: string | undefined },
  options: { scope: KeyScope; address: string },
) => Promise<Account>;

// A revoked key ends this much later at most; a busy merchant's key is then read once in 5 s instead of at every call.
const CACHE_MS = 5_000;

// Keys in use at once: some thousands of merchants on one edge. What is cached longest is dropped first.
const CACHE_MAX = 10_000;

// Wrong keys one address may try in the window before it is told to wait: a person's slips, not a search.
const WRONG_MAX = 20;
const WRONG_WINDOW_MS = 1_000;

// Longer than any key there is; SHA-256 over more is work for nobody.
const KEY_MAX = 255;

/** Makes the door of the edge. Only the SHA-256 of a key leaves it, so comparing takes the same time for every key. */
export function createAuthenticate({
  reader,
  clock,
}: {
  reader: Client<typeof ReaderService>;
  clock: Clock;
}): Authenticate {
  const keys = createKeyCache({ reader, clock });
  const strangers = createStrangerCounter(clock);
  return async ({ authorization }, { scope, address }) => {
    const key = readKey(authorization);
    if (key === undefined) throw keyMissing();
    const sha256 = createHash("sha256").update(key.slice(0, KEY_MAX)).digest();
    // Keys that are known go in from everywhere: many merchants may stand behind one proxy's address.
    const isKnown = keys.isKnown(sha256);
    if (!isKnown && !strangers.admit(address)) throw tooManyWrongKeys();
    const found = key.length > KEY_MAX ? undefined : await keys.find(sha256);
    if (found === undefined) throw keyInvalid(key);
    if (!isKnown) strangers.forgive(address);
    return admit(found, { scope, nowMs: clock.nowMs() });
  };
}

function admit({ account, apiKey }: GetApiKeyResponse, { scope, nowMs }: { scope: KeyScope; nowMs: number }): Account {
  assert(account !== undefined && apiKey !== undefined, "a key comes with its account");
  const { expireTime, revokeTime, kind } = apiKey;
  if (revokeTime !== undefined) throw keyRevoked();
  if (expireTime !== undefined && Number(expireTime.seconds) * 1_000 <= nowMs) throw keyExpired();
  const isAllowed = kind === ApiKeyKind.SECRET || (kind === ApiKeyKind.PUBLISHABLE && scope === "publishable");
  // Restricted keys wait for their scopes; until then they open nothing.
  if (!isAllowed) throw keyNotAllowed();
  return account;
}

// `curl -u sk_…:` sends the key as the user name of Basic.
function readKey(authorization: string | undefined): string | undefined {
  const [, scheme = "", value = ""] = /^(\S+)\s+(\S+)\s*$/.exec(authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const [user] = Buffer.from(value, "base64").toString("utf8").split(":");
  return user === "" ? undefined : user;
}

interface CachedKey {
  readonly endMs: number;
  readonly found: Promise<GetApiKeyResponse | undefined>;
}

// Requests that arrive together share one read. Keys that are nobody's are kept as well: a search then costs no reads.
function createKeyCache({ reader, clock }: { reader: Client<typeof ReaderService>; clock: Clock }) {
  const cache = new Map<string, CachedKey>();
  const fresh = (name: string) => {
    const cached = cache.get(name);
    return cached !== undefined && cached.endMs > clock.nowMs() ? cached : undefined;
  };
  const store = (name: string, found: CachedKey["found"]) => {
    cache.delete(name);
    cache.set(name, { endMs: clock.nowMs() + CACHE_MS, found });
    const [oldest] = cache.keys();
    if (cache.size > CACHE_MAX && oldest !== undefined) cache.delete(oldest);
    // A reader that is away says nothing about the key: the next request asks again.
    found.catch(() => {
      if (cache.get(name)?.found === found) cache.delete(name);
    });
    return found;
  };
  return {
    isKnown: (sha256: Buffer): boolean => fresh(sha256.toString("base64")) !== undefined,
    find(sha256: Buffer): CachedKey["found"] {
      const name = sha256.toString("base64");
      return (
        fresh(name)?.found ??
        store(
          name,
          alone(() => read(reader, sha256)),
        )
      );
    },
  };
}

// The request that asks first may be given up; those that wait for the same answer must not be given up with it.
function alone<T>(work: () => T): T {
  const call = currentCall();
  return call === undefined ? work() : runCall({ ...call, signal: new AbortController().signal }, work);
}

async function read(reader: Client<typeof ReaderService>, keySha256: Buffer): Promise<GetApiKeyResponse | undefined> {
  try {
    return await reader.getApiKey({ keySha256 });
  } catch (error) {
    const isNobodys = error instanceof ConnectError && error.code === Code.NotFound && refusalOf(error) !== undefined;
    if (isNobodys) return undefined;
    throw error;
  }
}

// One window for all addresses, cleared when it ends: bounded, and good enough to stop a search. A key counts before it
// is looked up, so that a burst is stopped too, and counts no more once it was found to be somebody's.
function createStrangerCounter(clock: Clock) {
  const counts = new Map<string, number>();
  let endMs = 0;
  const count = (address: string, change: number) => {
    const next = (counts.get(address) ?? 0) + change;
    counts.set(address, next);
    return next;
  };
  return {
    admit(address: string): boolean {
      if (clock.nowMs() >= endMs || counts.size > CACHE_MAX) {
        counts.clear();
        endMs = clock.nowMs() + WRONG_WINDOW_MS;
      }
      return count(address, 1) <= WRONG_MAX;
    },
    forgive(address: string): void {
      count(address, -1);
    },
  };
}
