import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type ApiKey, ApiKeyKind } from "../../gen/tripe/billing/v1/account_pb.ts";
import type {
  CreateApiKeyRequest,
  RevokeApiKeyRequest,
  RollApiKeyRequest,
} from "../../gen/tripe/writer/v1/accounts_pb.ts";
import { type Query, violatedConstraint } from "../_database/connect.ts";
import { type ApiKeyRow, apiKeyColumns, apiKeyOf } from "../_database/rows/account.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { apiKeyKinds } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";

/** Active keys of one account: a key for each of its programs, and room for those that are being rolled. */
const KEYS_MAX = 100;

/** One creation of an account at a time, so that the count of its keys is certain. */
const LOCK_ACCOUNT = {
  name: "lock_account_of_keys",
  text: "select account_id from account where account_id = $1 for no key update",
};

const COUNT = {
  name: "count_active_api_keys",
  text: `select count(*)::int as count from api_key where account_id = $1 and revoke_time is null
    and (expire_time is null or expire_time > statement_timestamp())`,
};

const INSERT = {
  name: "insert_api_key",
  text: `insert into api_key (account_id, api_key_id, key_sha256, kind, last4, name, scopes, create_time, expire_time)
    values ($1, $2, $3, $4, $5, $6, $7, statement_timestamp(), $8)`,
};

const LOCK = {
  name: "lock_api_key",
  text: `select ${apiKeyColumns}, k.key_sha256,
      k.revoke_time is null and (k.expire_time is null or k.expire_time > statement_timestamp()) as is_active
    from api_key k where k.account_id = $1 and k.api_key_id = $2 for no key update`,
};

/** An end that is nearer than the overlap stays. */
const SHORTEN = {
  name: "shorten_api_key",
  text: `update api_key k
    set expire_time = least(k.expire_time, statement_timestamp() + $3::bigint * interval '1 second')
    where k.account_id = $1 and k.api_key_id = $2 returning k.expire_time`,
};

const REVOKE = {
  name: "revoke_api_key",
  text: `update api_key k set revoke_time = coalesce(k.revoke_time, statement_timestamp())
    where k.account_id = $1 and k.api_key_id = $2 returning ${apiKeyColumns}`,
};

interface LockedRow extends ApiKeyRow {
  readonly key_sha256: Buffer;
  readonly is_active: boolean;
}

/**
 * Makes a key; the same id and hash again return it. Refuses ACCOUNT_NOT_FOUND, API_KEYS_TOO_MANY above 100 active keys,
 * API_KEY_EXISTS an id or a text that is another key's, and API_KEY_SCOPES_INVALID scopes of a kind that has none, or a
 * restricted key without any.
 */
export async function createApiKey({ database }: WriterDependencies, request: CreateApiKeyRequest) {
  const { accountId, apiKey, keySha256 } = request;
  assert(apiKey !== undefined, "validation requires the key");
  const isRestricted = apiKey.kind === ApiKeyKind.RESTRICTED;
  if (isRestricted !== apiKey.scopes.length > 0) {
    refuse(Code.InvalidArgument, "API_KEY_SCOPES_INVALID", "restricted keys, and no others, have scopes", "api_key");
  }
  return database.transaction(async (query) => {
    await lockAccount(query, accountId);
    return { apiKey: apiKeyOf(await insertKey(query, { accountId, apiKey, keySha256 })) };
  });
}

/**
 * Makes a key in the place of an active one, which still opens for the overlap; the same ids and hash again return what was
 * made. Refuses API_KEY_NOT_FOUND, API_KEY_NOT_ACTIVE a key that has ended, and what `createApiKey` refuses.
 */
export async function rollApiKey({ database }: WriterDependencies, request: RollApiKeyRequest) {
  const { accountId, apiKeyId, newApiKeyId, newKeySha256: keySha256, newLast4, overlapSeconds } = request;
  return database.transaction(async (query) => {
    await lockAccount(query, accountId);
    const old = await lockKey(query, { accountId, apiKeyId });
    if (old === undefined) return refuseMissing(apiKeyId);
    const made = await lockKey(query, { accountId, apiKeyId: newApiKeyId });
    if (made === undefined && !old.is_active) {
      refuse(Code.FailedPrecondition, "API_KEY_NOT_ACTIVE", "this key has ended", "api_key_id");
    }
    const { expireTime: _, ...same } = apiKeyOf(old);
    const apiKey = { ...same, apiKeyId: newApiKeyId, last4: newLast4 };
    const row = await insertKey(query, { accountId, apiKey, keySha256 });
    const [ended] =
      made === undefined
        ? await query<{ expire_time: Date }>(SHORTEN, [accountId, apiKeyId, overlapSeconds])
        : [{ expire_time: old.expire_time }];
    return { apiKey: apiKeyOf(row), oldExpireTime: timestampOf(ended?.expire_time ?? null) };
  });
}

/** Ends a key for good; one that has ended stays so. Refuses API_KEY_NOT_FOUND. */
export async function revokeApiKey({ database }: WriterDependencies, { accountId, apiKeyId }: RevokeApiKeyRequest) {
  const [row] = await database.query<ApiKeyRow>(REVOKE, [accountId, apiKeyId]);
  return row === undefined ? refuseMissing(apiKeyId) : { apiKey: apiKeyOf(row) };
}

type NewKey = Omit<ApiKey, "$typeName" | "expireTime"> & Pick<Partial<ApiKey>, "expireTime">;

/** Inserts a key of an account that the caller has locked, unless the very same is there. */
async function insertKey(
  query: Query,
  { accountId, apiKey, keySha256 }: { accountId: string; apiKey: NewKey; keySha256: Uint8Array },
): Promise<ApiKeyRow> {
  const { apiKeyId, kind, last4, name, scopes, expireTime } = apiKey;
  const present = await lockKey(query, { accountId, apiKeyId });
  if (present !== undefined) return present.key_sha256.equals(keySha256) ? present : refuseTaken();
  const [{ count } = { count: 0 }] = await query<{ count: number }>(COUNT, [accountId]);
  if (count >= KEYS_MAX) {
    refuse(Code.FailedPrecondition, "API_KEYS_TOO_MANY", `an account has at most ${KEYS_MAX} active keys`, "api_key");
  }
  const end = expireTime === undefined ? null : timestampDate(expireTime);
  try {
    await query(INSERT, [accountId, apiKeyId, keySha256, apiKeyKinds.word(kind), last4, name, scopes, end]);
  } catch (error) {
    if (violatedConstraint(error) === "api_key_key_sha256_key") refuseTaken();
    throw error;
  }
  const row = await lockKey(query, { accountId, apiKeyId });
  assert(row !== undefined, "the key of this very transaction is there");
  return row;
}

async function lockAccount(query: Query, accountId: string): Promise<void> {
  const rows = await query(LOCK_ACCOUNT, [accountId]);
  if (rows.length === 0) refuse(Code.NotFound, "ACCOUNT_NOT_FOUND", `no account ${accountId}`, "account_id");
}

async function lockKey(query: Query, { accountId, apiKeyId }: { accountId: string; apiKeyId: string }) {
  const [row] = await query<LockedRow>(LOCK, [accountId, apiKeyId]);
  return row;
}

function refuseMissing(apiKeyId: string): never {
  return refuse(Code.NotFound, "API_KEY_NOT_FOUND", `no API key ${apiKeyId}`, "api_key_id");
}

function refuseTaken(): never {
  return refuse(Code.AlreadyExists, "API_KEY_EXISTS", "this id or text is another API key's", "api_key");
}
