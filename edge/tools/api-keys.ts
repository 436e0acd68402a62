import { createHash } from "node:crypto";
import { type Timestamp, timestampDate, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Account, type ApiKey, ApiKeyKind } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { ClientsOf } from "../../services/_runtime/clients.ts";
import type { Clock } from "../../services/_runtime/clock.ts";
import { createId, randomBase62 } from "../../services/_runtime/ids.ts";
import { parseScopes } from "../key-scopes.ts";
import { readArguments, readSeconds } from "./arguments.ts";
import { printable } from "./printable.ts";

/** What the commands of keys stand on. */
export interface KeyTools {
  readonly clients: Pick<ClientsOf<"operator">, "reader" | "writer">;
  readonly clock: Clock;
}

/** How the commands are written. */
export const keysUsage = `usage:
  npm run keys -- create [--kind secret|publishable|restricted] [--scopes charges:write,customers:read]
                         [--name "My shop"] [--expires 90d] [--account acct_…] [--live]
  npm run keys -- list   [--account acct_…] [--live]
  npm run keys -- roll   key_… [--overlap 1d]
  npm run keys -- revoke key_…
Without --account it is the account that npm start made, with --live its live account.`;

const accountOptions = { account: { type: "string" }, live: { type: "boolean" } } as const;

/** Runs create, list, roll or revoke; returns what to print. Throws in words. */
export async function runKeyCommand(tools: KeyTools, command: string, words: readonly string[]): Promise<string> {
  switch (command) {
    case "create":
      return create(tools, words);
    case "list":
      return list(tools, words);
    case "roll":
      return roll(tools, words);
    case "revoke":
      return revoke(tools, words);
    default:
      throw new Error(keysUsage);
  }
}

async function create(tools: KeyTools, words: readonly string[]): Promise<string> {
  const options = {
    ...accountOptions,
    ...({ kind: { type: "string" }, scopes: { type: "string" } } as const),
    ...({ name: { type: "string" }, expires: { type: "string" } } as const),
  };
  const { values } = readArguments(words, { options, positionals: [0, 0], usage: keysUsage });
  const kind = readKind(values.kind ?? (values.scopes === undefined ? "secret" : "restricted"));
  if (kind === ApiKeyKind.RESTRICTED && values.scopes === undefined) {
    throw new Error("a restricted key needs --scopes, such as charges:write,customers:read");
  }
  if (kind !== ApiKeyKind.RESTRICTED && values.scopes !== undefined)
    throw new Error("only restricted keys have --scopes");
  const account = await findAccount(tools, values);
  const expiresS = values.expires === undefined ? undefined : readSeconds(values.expires, "--expires");
  const text = createText(kind, account.isLive);
  const { apiKey } = await tools.clients.writer.createApiKey({
    accountId: account.accountId,
    keySha256: digestOf(text),
    apiKey: {
      apiKeyId: createId("key_"),
      kind,
      last4: text.slice(-4),
      name: values.name ?? "",
      scopes: values.scopes === undefined ? [] : parseScopes(values.scopes),
      ...(expiresS !== undefined && { expireTime: timestampFromMs(tools.clock.nowMs() + expiresS * 1_000) }),
    },
  });
  return [`${describe(apiKey, tools.clock)} of ${account.accountId}`, shownOnce(text)].join("\n");
}

async function list(tools: KeyTools, words: readonly string[]): Promise<string> {
  const { values } = readArguments(words, { options: accountOptions, positionals: [0, 0], usage: keysUsage });
  const { accountId, isLive } = await findAccount(tools, values);
  const lines = [`${accountId} (${isLive ? "live" : "sandbox"})`];
  for await (const apiKey of keysOf(tools, accountId)) lines.push(`  ${describe(apiKey, tools.clock)}`);
  return lines.join("\n");
}

async function roll(tools: KeyTools, words: readonly string[]): Promise<string> {
  const options = { overlap: { type: "string" } } as const;
  const { values, positionals } = readArguments(words, { options, positionals: [1, 1], usage: keysUsage });
  const { account, apiKey: old } = await findKey(tools, positionals[0] ?? "");
  const text = createText(old.kind, account.isLive);
  const { apiKey, oldExpireTime } = await tools.clients.writer.rollApiKey({
    accountId: account.accountId,
    apiKeyId: old.apiKeyId,
    newApiKeyId: createId("key_"),
    newKeySha256: digestOf(text),
    newLast4: text.slice(-4),
    overlapSeconds: BigInt(readSeconds(values.overlap ?? "1d", "--overlap")),
  });
  const until = oldExpireTime === undefined ? "now" : isoOf(oldExpireTime);
  return [
    `${describe(apiKey, tools.clock)}, in the place of ${old.apiKeyId}, which opens until ${until}`,
    shownOnce(text),
  ].join("\n");
}

async function revoke(tools: KeyTools, words: readonly string[]): Promise<string> {
  const { positionals } = readArguments(words, { options: {}, positionals: [1, 1], usage: keysUsage });
  const { account, apiKey } = await findKey(tools, positionals[0] ?? "");
  const { accountId } = account;
  const revoked = await tools.clients.writer.revokeApiKey({ accountId, apiKeyId: apiKey.apiKeyId });
  return `${describe(revoked.apiKey, tools.clock)}; every edge refuses it within 5 s`;
}

const kinds: Readonly<Record<string, ApiKeyKind>> = {
  secret: ApiKeyKind.SECRET,
  publishable: ApiKeyKind.PUBLISHABLE,
  restricted: ApiKeyKind.RESTRICTED,
};

function readKind(word: string): ApiKeyKind {
  const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (kind === undefined) throw new Error(`--kind is one of ${Object.keys(kinds).join(", ")}, not "${word}"`);
  return kind;
}

const prefixes: Partial<Record<ApiKeyKind, string>> = {
  [ApiKeyKind.SECRET]: "sk",
  [ApiKeyKind.PUBLISHABLE]: "pk",
  [ApiKeyKind.RESTRICTED]: "rk",
};

// 62^32 is 190 bits: beyond any search.
function createText(kind: ApiKeyKind, isLive: boolean): string {
  return `${prefixes[kind]}_${isLive ? "live" : "test"}_${randomBase62(32)}`;
}

function digestOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

function shownOnce(text: string): string {
  return `\n  ${text}\n\nIt is shown this once: Tripe keeps its SHA-256 alone.`;
}

function describe(apiKey: ApiKey | undefined, clock: Clock): string {
  if (apiKey === undefined) return "no key";
  const { apiKeyId, kind, last4, name, scopes, createTime, expireTime, revokeTime } = apiKey;
  const isExpired = expireTime !== undefined && timestampMs(expireTime) <= clock.nowMs();
  const states = [
    ...(revokeTime === undefined ? [] : [`revoked ${isoOf(revokeTime)}`]),
    ...(expireTime === undefined ? [] : [`${isExpired ? "expired" : "expires"} ${isoOf(expireTime)}`]),
  ];
  const word = Object.entries(kinds).find(([, one]) => one === kind)?.[0] ?? "unknown";
  return [
    apiKeyId,
    word,
    ...(scopes.length === 0 ? [] : [scopes.join(",")]),
    `…${last4}`,
    ...(name === "" ? [] : [`"${printable(name)}"`]),
    ...(createTime === undefined ? [] : [`made ${isoOf(createTime)}`]),
    ...states,
  ].join("  ");
}

function isoOf(time: Timestamp): string {
  return `${timestampDate(time).toISOString().slice(0, 19)}Z`;
}

async function findAccount(tools: KeyTools, { account: id, live = false }: { account?: string; live?: boolean }) {
  for await (const account of accountsOf(tools)) {
    if (id === undefined ? account.isLive === live : account.accountId === id) return account;
  }
  throw new Error(`there is no ${id === undefined ? `${live ? "live" : "sandbox"} account` : `account ${id}`}`);
}

async function findKey(tools: KeyTools, id: string): Promise<{ account: Account; apiKey: ApiKey }> {
  for await (const account of accountsOf(tools)) {
    for await (const apiKey of keysOf(tools, account.accountId)) if (apiKey.apiKeyId === id) return { account, apiKey };
  }
  throw new Error(`there is no key ${id}; npm run keys -- list shows the ids`);
}

/** Every account, oldest first. */
export async function* accountsOf({ clients }: KeyTools): AsyncGenerator<Account> {
  for (let pageToken = ""; ; ) {
    const page = await clients.reader.listAccounts({ pageSize: 100, pageToken });
    yield* page.accounts;
    if (page.nextPageToken === "") return;
    pageToken = page.nextPageToken;
  }
}

async function* keysOf({ clients }: KeyTools, accountId: string): AsyncGenerator<ApiKey> {
  for (let pageToken = ""; ; ) {
    const page = await clients.reader.listApiKeys({ accountId, pageSize: 100, pageToken });
    yield* page.apiKeys;
    if (page.nextPageToken === "") return;
    pageToken = page.nextPageToken;
  }
}
