import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { ApiKeyKind, ApiKeySchema } from "../../gen/tripe/billing/v1/account_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { refusal } from "./testing-steps.ts";

const { setup, accountId, liveAccountId } = await startTestWriter();
const { writer } = setup();

const digest = (text: string) => createHash("sha256").update(text).digest();
/** A request for a secret key with an id and a text of its own. */
function request(change: { kind?: ApiKeyKind; scopes?: string[]; expiresInMs?: number } = {}) {
  const apiKeyId = createId("key_");
  const { kind = ApiKeyKind.SECRET, scopes = [], expiresInMs } = change;
  const expireTime = expiresInMs === undefined ? undefined : timestampFromMs(systemClock.nowMs() + expiresInMs);
  const apiKey = create(ApiKeySchema, { apiKeyId, kind, scopes, last4: apiKeyId.slice(-4), name: "tests", expireTime });
  return { accountId, apiKey, keySha256: digest(apiKeyId) };
}
const reasonOf = async (call: Promise<unknown>) => (await refusal(call))?.reason;

test("createApiKey makes a key once per id, and refuses an id or a text of another key", async () => {
  const first = request();
  const { apiKey } = await writer.createApiKey(first);
  expect(apiKey).toMatchObject({ kind: ApiKeyKind.SECRET, name: "tests", last4: first.apiKey.last4 });
  expect((await writer.createApiKey(first)).apiKey).toEqual(apiKey);
  expect(await reasonOf(writer.createApiKey({ ...first, keySha256: digest("other") }))).toBe("API_KEY_EXISTS");
  const sameText = { ...request(), keySha256: first.keySha256 };
  expect(await reasonOf(writer.createApiKey(sameText))).toBe("API_KEY_EXISTS");
  expect(await reasonOf(writer.createApiKey({ ...request(), accountId: "acct_none" }))).toBe("ACCOUNT_NOT_FOUND");
});

test("createApiKey gives scopes to restricted keys alone", async () => {
  const scopes = ["charges:write", "customers:read"];
  const { apiKey } = await writer.createApiKey(request({ kind: ApiKeyKind.RESTRICTED, scopes }));
  expect(apiKey?.scopes).toEqual(scopes);
  const wrong = [{ kind: ApiKeyKind.RESTRICTED }, { scopes }, { kind: ApiKeyKind.PUBLISHABLE, scopes }];
  for (const one of wrong) expect(await reasonOf(writer.createApiKey(request(one)))).toBe("API_KEY_SCOPES_INVALID");
});

test("rollApiKey makes an equal key, and the old one ends after the overlap, or before when it would have", async () => {
  const old = request({ kind: ApiKeyKind.RESTRICTED, scopes: ["invoices:read"] });
  await writer.createApiKey(old);
  const roll = (apiKeyId: string) => {
    const newApiKeyId = createId("key_");
    return { accountId, apiKeyId, newApiKeyId, newKeySha256: digest(newApiKeyId), newLast4: "roll" };
  };
  const rolled = { ...roll(old.apiKey.apiKeyId), overlapSeconds: 3_600n };
  const { apiKey, oldExpireTime } = await writer.rollApiKey(rolled);
  expect(apiKey).toMatchObject({
    apiKeyId: rolled.newApiKeyId,
    scopes: ["invoices:read"],
    last4: "roll",
    name: "tests",
  });
  const overlapMs = (oldExpireTime === undefined ? 0 : timestampMs(oldExpireTime)) - systemClock.nowMs();
  expect(overlapMs / 1_000).toBeGreaterThan(3_500);
  expect(overlapMs / 1_000).toBeLessThan(3_601);
  expect(await writer.rollApiKey(rolled)).toMatchObject({ apiKey, oldExpireTime });
  const soon = await writer.rollApiKey({ ...roll(old.apiKey.apiKeyId), overlapSeconds: 0n });
  expect(soon.apiKey?.scopes).toEqual(["invoices:read"]);
  const late = { ...roll(old.apiKey.apiKeyId), overlapSeconds: 10n };
  expect(await reasonOf(writer.rollApiKey(late))).toBe("API_KEY_NOT_ACTIVE");
  expect(await reasonOf(writer.rollApiKey({ ...roll("key_none"), overlapSeconds: 0n }))).toBe("API_KEY_NOT_FOUND");
});

test("revokeApiKey ends a key for good, and no other account's", async () => {
  const one = request();
  await writer.createApiKey(one);
  const { apiKeyId } = one.apiKey;
  expect(await reasonOf(writer.revokeApiKey({ accountId: liveAccountId, apiKeyId }))).toBe("API_KEY_NOT_FOUND");
  const { apiKey } = await writer.revokeApiKey({ accountId, apiKeyId });
  expect(apiKey?.revokeTime).toBeDefined();
  expect((await writer.revokeApiKey({ accountId, apiKeyId })).apiKey).toEqual(apiKey);
});

test("an account has at most 100 active keys; ended ones do not count", async () => {
  const { account } = await writer.createAccount({
    account: { accountId: createId("acct_"), name: "Many", defaultCurrencyCode: "EUR" },
  });
  const of = (one: ReturnType<typeof request>) => ({ ...one, accountId: account?.accountId ?? "" });
  for (let made = 0; made < 10; made += 1) await writer.createApiKey(of(request({ expiresInMs: -1_000 })));
  for (let made = 0; made < 98; made += 1) await writer.createApiKey(of(request()));
  // Of several at once, each is counted.
  const last = await Promise.allSettled(Array.from({ length: 5 }, () => writer.createApiKey(of(request()))));
  expect(last.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  expect(await reasonOf(writer.createApiKey(of(request())))).toBe("API_KEYS_TOO_MANY");
});

test("createAccount makes an account once per id; updateAccount changes what the mask names", async () => {
  const account = { accountId: createId("acct_"), isLive: true, name: "Ann", email: "", defaultCurrencyCode: "EUR" };
  const made = (await writer.createAccount({ account })).account;
  expect(made).toMatchObject(account);
  expect((await writer.createAccount({ account })).account).toEqual(made);
  expect(await reasonOf(writer.createAccount({ account: { ...account, name: "Bob" } }))).toBe("ACCOUNT_EXISTS");
  const odd = { ...account, accountId: createId("acct_"), defaultCurrencyCode: "QQQ" };
  expect(await reasonOf(writer.createAccount({ account: odd }))).toBe("CURRENCY_UNKNOWN");
  const change = { accountId: account.accountId, email: "ann@example.com", name: "not in the mask" };
  const updated = await writer.updateAccount({ account: change, updateMask: { paths: ["email"] } });
  expect(updated.account).toMatchObject({ ...account, email: "ann@example.com" });
  const none = { account: { accountId: "acct_none" }, updateMask: { paths: ["email"] } };
  expect(await reasonOf(writer.updateAccount(none))).toBe("ACCOUNT_NOT_FOUND");
});

test("updateAccount sets what banks want to know of a merchant, and refuses a time zone that is none", async () => {
  const account = { accountId: createId("acct_"), name: "Caf\u00e9", defaultCurrencyCode: "CHF" };
  const { account: made } = await writer.createAccount({ account });
  const standIns = { name: "Caf\u00e9", city: "", countryCode: "US", merchantCategory: "5999", timeZone: "UTC" };
  expect(made?.acceptor).toMatchObject({ ...standIns, merchantId: "", terminalId: "" });
  const acceptor = {
    city: "Z\u00fcrich",
    countryCode: "CH",
    merchantCategory: "5812",
    merchantId: "M-1",
    terminalId: "T-1",
    timeZone: "Europe/Zurich",
  };
  const update = (change: object) =>
    writer.updateAccount({ account: { ...account, acceptor: change }, updateMask: { paths: ["acceptor"] } });
  const updated = await update({ ...acceptor, name: "another name" });
  expect(updated.account?.acceptor).toMatchObject({ ...acceptor, name: "Caf\u00e9" });
  expect(await reasonOf(update({ ...acceptor, timeZone: "Europe/Nowhere" }))).toBe("TIME_ZONE_UNKNOWN");
});
