import { Code } from "@connectrpc/connect";
import type {
  FindApiKeysRequest,
  ListAccountsRequest,
  ListApiKeysRequest,
} from "../../gen/tripe/reader/v1/accounts_pb.ts";
import type { GetApiKeyRequest } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import {
  type AccountRow,
  type ApiKeyRow,
  accountColumns,
  accountOf,
  apiKeyColumns,
  apiKeyOf,
} from "../_database/rows/account.ts";
import { refuse } from "../_runtime/errors.ts";
import { list } from "./list.ts";
import { apiKeys } from "./listings.ts";

/** Keys are found by their hash: the time that takes does not depend on how much of a key was right. */
const GET_API_KEY = {
  name: "get_api_key",
  text: `select ${accountColumns}, ${apiKeyColumns}
    from api_key k join account a using (account_id)
    where k.key_sha256 = $1`,
};

/** As GET_API_KEY, for many: each is one look into the index. */
const FIND_API_KEYS = {
  name: "find_api_keys",
  text: `select ${accountColumns}, ${apiKeyColumns}, k.key_sha256
    from api_key k join account a using (account_id)
    where k.key_sha256 = any($1::bytea[])`,
};

/** Ids sort by time of creation. */
const LIST_ACCOUNTS = {
  name: "list_accounts",
  text: `select ${accountColumns} from account a where a.account_id > $1 order by a.account_id limit $2`,
};

const PAGE_SIZE_DEFAULT = 10;

/** Finds the account of a key. Refuses with NOT_FOUND, reason API_KEY_NOT_FOUND. */
export async function getApiKey(query: Query, { keySha256 }: GetApiKeyRequest) {
  const [row] = await query<AccountRow & ApiKeyRow>(GET_API_KEY, [keySha256]);
  if (row === undefined) refuse(Code.NotFound, "API_KEY_NOT_FOUND", "no such API key", "key_sha256");
  return { account: accountOf(row), apiKey: apiKeyOf(row) };
}

/** Finds the accounts of those keys that somebody has. */
export async function findApiKeys(query: Query, { keySha256s }: FindApiKeysRequest) {
  const rows = await query<AccountRow & ApiKeyRow & { key_sha256: Buffer }>(FIND_API_KEYS, [keySha256s]);
  const foundApiKeys = rows.map((row) => ({
    keySha256: row.key_sha256,
    account: accountOf(row),
    apiKey: apiKeyOf(row),
  }));
  return { foundApiKeys };
}

/** Lists accounts, oldest first. */
export async function listAccounts(query: Query, { pageSize, pageToken }: ListAccountsRequest) {
  const size = pageSize === 0 ? PAGE_SIZE_DEFAULT : pageSize;
  const rows = await query<AccountRow>(LIST_ACCOUNTS, [pageToken, size + 1]);
  const accounts = rows.slice(0, size).map(accountOf);
  return { accounts, nextPageToken: rows.length > size ? (accounts.at(-1)?.accountId ?? "") : "" };
}

/** Lists the keys of an account, newest first. Refuses with NOT_FOUND, reason API_KEY_NOT_FOUND, an unknown page token. */
export async function listApiKeys(query: Query, request: ListApiKeysRequest) {
  const { nouns, ...page } = await list(query, apiKeys, { ...request, isBackward: false }, [], apiKeyOf);
  return { apiKeys: nouns, ...page };
}
