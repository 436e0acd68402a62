import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Account, AccountSchema, ApiKeySchema } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { GetApiKeyRequest } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { apiKeyKinds } from "../_database/rows/words.ts";
import { refuse } from "../_runtime/errors.ts";

/** The columns of an account, from `account a`. */
export const accountColumns = `a.account_id, a.is_live, a.name, a.email, a.address, a.default_currency_code,
  a.create_time as account_create_time`;

/** A row of `accountColumns`. */
export interface AccountRow {
  readonly account_id: string;
  readonly is_live: boolean;
  readonly name: string;
  readonly email: string;
  readonly address: string;
  readonly default_currency_code: string;
  readonly account_create_time: Date;
}

interface ApiKeyRow extends AccountRow {
  readonly api_key_id: string;
  readonly kind: string;
  readonly last4: string;
  readonly create_time: Date;
  readonly expire_time: Date | null;
}

/** Keys are found by their hash, so how long it takes says nothing of how much of a key was right. */
const GET_API_KEY = {
  name: "get_api_key",
  text: `select ${accountColumns}, k.api_key_id, k.kind, k.last4, k.create_time, k.expire_time
    from api_key k join account a using (account_id)
    where k.key_sha256 = $1 and k.revoke_time is null and (k.expire_time is null or k.expire_time > statement_timestamp())`,
};

/** Finds the account of a key that is neither revoked nor expired. Refuses with NOT_FOUND, reason API_KEY_NOT_FOUND. */
export async function getApiKey(query: Query, { keySha256 }: GetApiKeyRequest) {
  const [row] = await query<ApiKeyRow>(GET_API_KEY, [keySha256]);
  if (row === undefined) refuse(Code.NotFound, "API_KEY_NOT_FOUND", "no such API key", "key_sha256");
  const apiKey = create(ApiKeySchema, {
    apiKeyId: row.api_key_id,
    kind: apiKeyKinds.of(row.kind),
    last4: row.last4,
    createTime: timestampOf(row.create_time),
    expireTime: timestampOf(row.expire_time),
  });
  return { account: accountOf(row), apiKey };
}

/** The account of a row. */
export function accountOf(row: AccountRow): Account {
  return create(AccountSchema, {
    accountId: row.account_id,
    isLive: row.is_live,
    name: row.name,
    email: row.email,
    address: row.address,
    defaultCurrencyCode: row.default_currency_code,
    createTime: timestampOf(row.account_create_time),
  });
}
