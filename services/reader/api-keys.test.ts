import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ApiKeyKind } from "../../gen/tripe/billing/v1/account_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { refusal, SECRET_KEY, startTestReader } from "./testing.ts";

const { reader, accountId, liveAccountId, sql } = await startTestReader();

const hashOf = (key: string) => createHash("sha256").update(key).digest();
const notFound = { code: Code.NotFound, reason: "API_KEY_NOT_FOUND" };

/** A key of the live account; its ends are SQL, as "statement_timestamp() + interval '1 h'". */
async function setup({ kind = "secret", expires = "null", revoked = "null" } = {}) {
  const keySha256 = hashOf(createId("sk_live_"));
  await sql(
    `insert into api_key (account_id, api_key_id, key_sha256, kind, last4, create_time, expire_time, revoke_time)
      values ($1, $2, $3, $4, 'last', statement_timestamp(), ${expires}, ${revoked})`,
    ...[liveAccountId, createId("key_"), keySha256, kind],
  );
  return { keySha256 };
}

test("getApiKey finds a key's account by the key's hash", async () => {
  const found = await reader.getApiKey({ keySha256: hashOf(SECRET_KEY) });
  expect(found.account).toEqual((await reader.getAccount({ accountId })).account);
  expect(found.apiKey).toMatchObject({ kind: ApiKeyKind.SECRET, last4: "er01" });
  expect(found.apiKey?.expireTime).toBeUndefined();
});

test("getApiKey tells kinds and accounts apart", async () => {
  for (const [kind, expected] of [
    ["publishable", ApiKeyKind.PUBLISHABLE],
    ["restricted", ApiKeyKind.RESTRICTED],
  ] as const) {
    const found = await reader.getApiKey(await setup({ kind }));
    expect(found).toMatchObject({ account: { accountId: liveAccountId, isLive: true }, apiKey: { kind: expected } });
  }
});

test("getApiKey does not find a key that was never made; it returns when a key ended", async () => {
  expect(await refusal(reader.getApiKey({ keySha256: hashOf("sk_test_wrong") }))).toMatchObject(notFound);
  const revoked = await reader.getApiKey(await setup({ revoked: "statement_timestamp()" }));
  expect(revoked.apiKey?.revokeTime).toBeDefined();
  const expired = await reader.getApiKey(await setup({ expires: "statement_timestamp() - interval '1 ms'" }));
  expect(expired.apiKey?.expireTime).toBeDefined();
});

test("getApiKey finds a key that expires later, and says when", async () => {
  const { apiKey } = await reader.getApiKey(await setup({ expires: "statement_timestamp() + interval '1 h'" }));
  expect(apiKey?.expireTime).toBeDefined();
});

test("listApiKeys pages through the keys of one account, newest first", async () => {
  for (let made = 0; made < 3; made += 1) await setup({ kind: "publishable" });
  const first = await reader.listApiKeys({ accountId: liveAccountId, pageSize: 2 });
  expect(first.apiKeys).toHaveLength(2);
  const rest = await reader.listApiKeys({ accountId: liveAccountId, pageSize: 100, pageToken: first.nextPageToken });
  const ids = [...first.apiKeys, ...rest.apiKeys].map(({ apiKeyId }) => apiKeyId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual([...ids].sort().reverse());
  expect(rest.nextPageToken).toBe("");
  const none = reader.listApiKeys({ accountId, pageToken: "key_none" });
  expect(await refusal(none)).toMatchObject({ reason: "API_KEY_NOT_FOUND" });
});

test("listAccounts pages through all accounts, oldest first", async () => {
  const first = await reader.listAccounts({ pageSize: 1 });
  const rest = await reader.listAccounts({ pageSize: 100, pageToken: first.nextPageToken });
  const ids = [...first.accounts, ...rest.accounts].map((account) => account.accountId);
  expect(ids).toEqual([accountId, liveAccountId].sort());
  expect([rest.nextPageToken, first.accounts.length]).toEqual(["", 1]);
});

test("findApiKeys finds those of many keys that somebody has, and refuses none", async () => {
  const [one, revoked] = [hashOf(SECRET_KEY), (await setup({ revoked: "statement_timestamp()" })).keySha256];
  const wrong = Array.from({ length: 254 }, (_, at) => hashOf(`sk_test_wrong${at}`));
  const { foundApiKeys } = await reader.findApiKeys({ keySha256s: [...wrong, one, revoked] });
  expect(foundApiKeys.map(({ keySha256 }) => Buffer.from(keySha256).toString("hex")).sort()).toEqual(
    [one, revoked].map((hash) => hash.toString("hex")).sort(),
  );
  for (const { keySha256, account, apiKey } of foundApiKeys) {
    expect(await reader.getApiKey({ keySha256 })).toMatchObject({ account, apiKey });
  }
  expect(await reader.findApiKeys({ keySha256s: wrong })).toMatchObject({ foundApiKeys: [] });
  expect(await refusal(reader.findApiKeys({ keySha256s: [] }))).toMatchObject({ code: Code.InvalidArgument });
  expect(await refusal(reader.findApiKeys({ keySha256s: Array(257).fill(one) }))).toMatchObject({
    code: Code.InvalidArgument,
  });
});
