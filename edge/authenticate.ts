import { hash } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Account } from "../gen/tripe/billing/v1/account_pb.ts";
import { ApiKeyKind } from "../gen/tripe/billing/v1/account_pb.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import { assert } from "../services/_runtime/errors.ts";
import { createApiKeyLookup } from "./api-key-lookup.ts";
import { clientOf } from "./client-address.ts";
import type { FoundKey, KeyReader } from "./key-batches.ts";
import { grantsScope, type Scope } from "./key-scopes.ts";
import type { Problem } from "./problem.ts";
import {
  keyExpired,
  keyInvalid,
  keyMissing,
  keyNotAllowed,
  keyRevoked,
  scopeMissing,
  tooManyWrongKeys,
} from "./problems.ts";
import { createRateLimiter, REFUSAL_DELAY_MS } from "./rate-limiter.ts";

/** Which keys a route takes: `secret` for most, `publishable` where a browser may ask, too. */
export type KeyScope = "publishable" | "secret";

/** What a request's key opens. */
export interface Access {
  readonly account: Account;
  readonly kind: ApiKeyKind;
  readonly apiKeyId: string;
  /** Whether the key grants this scope: of restricted keys only what they list. */
  grants(scope: Scope): boolean;
}

/** Who sent a request. */
export interface Client {
  readonly ip: string;
}

/** Which keys a route takes: `needs` is what a restricted one has to list. */
export interface AccessRequest {
  readonly scope: KeyScope;
  readonly needs: Scope;
  /** Its address is found anew each time, so it is read only when the request is refused or its key is looked up. */
  readonly client: Client;
}

/** Finds the account a request acts for. Throws a Problem: 401, 403 or 429. */
export type Authenticate = (headers: { authorization?: string | undefined }, request: AccessRequest) => Promise<Access>;

// Wrong keys that one client may try in a second before it must wait: a person's slips, not a search.
const FAILED_MAX = 20;

// Longer than any key there is; SHA-256 over more is work for nobody.
const KEY_MAX = 255;

/** Makes the door of the edge. Only the SHA-256 of a key leaves it, so comparing takes the same time for every key. */
export function createAuthenticate({ reader, clock }: { reader: KeyReader; clock: Clock }): Authenticate {
  const keys = createApiKeyLookup({ reader, clock });
  const limiter = createRateLimiter({ clock, perSecondMax: FAILED_MAX });
  return async ({ authorization }, request) => {
    const key = readKey(authorization);
    const refuse = async (problem: Problem) => {
      if (limiter.count(clientOf(request.client.ip))) return problem;
      await clock.sleep(REFUSAL_DELAY_MS);
      return tooManyWrongKeys();
    };
    // Without the header at all it was counted before (pace-strangers.ts).
    if (key === undefined) throw authorization === undefined ? keyMissing() : await refuse(keyMissing());
    const sha256 = hash("sha256", key.slice(0, KEY_MAX), "base64");
    // Looked up before it is counted: a right key goes in from wherever wrong ones come, known or not.
    const found = key.length > KEY_MAX ? undefined : await keys.find(sha256, request.client);
    if (found === undefined) throw await refuse(keyInvalid(key));
    return admit(found, request, clock.nowMs());
  };
}

function admit(
  { account, apiKey }: FoundKey,
  { scope, needs }: Pick<AccessRequest, "scope" | "needs">,
  nowMs: number,
): Access {
  assert(account !== undefined && apiKey !== undefined, "a key comes with its account");
  const { apiKeyId, expireTime, revokeTime, kind, scopes } = apiKey;
  if (revokeTime !== undefined) throw keyRevoked();
  if (expireTime !== undefined && timestampMs(expireTime) <= nowMs) throw keyExpired();
  const grants = (wanted: Scope) => kind === ApiKeyKind.SECRET || grantsScope(scopes, wanted);
  const isAllowed = grants(needs) || (kind === ApiKeyKind.PUBLISHABLE && scope === "publishable");
  if (!isAllowed) throw kind === ApiKeyKind.RESTRICTED ? scopeMissing(needs) : keyNotAllowed();
  return { account, kind, apiKeyId, grants };
}

// `curl -u sk_…:` sends the key as the user name of Basic.
function readKey(authorization: string | undefined): string | undefined {
  const [, scheme = "", value = ""] = /^(\S+)\s+(\S+)\s*$/.exec(authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const [user] = Buffer.from(value, "base64").toString("utf8").split(":");
  return user === "" ? undefined : user;
}
