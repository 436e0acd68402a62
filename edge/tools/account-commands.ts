import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Account, AccountSchema, CardAcceptor } from "../../gen/tripe/billing/v1/account_pb.ts";
import { parseFee } from "../../services/_runtime/config-fee.ts";
import { createId } from "../../services/_runtime/ids.ts";
import { accountsOf, type KeyTools } from "./api-keys.ts";
import { readArguments } from "./arguments.ts";
import { printable } from "./printable.ts";

/** How the commands are written. */
export const accountsUsage = `usage:
  npm run accounts -- create --name "Acme" [--email …] [--address …] [--currency usd] [--fee 2.9%+30] [details]
  npm run accounts -- update acct_… [--name …] [--email …] [--address …] [--currency …] [--fee …] [details]
  npm run accounts -- list
  npm run accounts -- show acct_…
details, as banks want to know them: --city, --country US, --category 5999 (ISO 18245), --merchant-id, --terminal-id,
--time-zone Europe/Paris`;

const texts = ["name", "email", "address", "currency", "fee", "city", "country", "category"] as const;
const options = {
  ...(Object.fromEntries(texts.map((name) => [name, { type: "string" }])) as Record<
    (typeof texts)[number],
    { type: "string" }
  >),
  ...({
    "merchant-id": { type: "string" },
    "terminal-id": { type: "string" },
    "time-zone": { type: "string" },
  } as const),
} as const;

type Given = { readonly [Name in keyof typeof options]?: string | undefined };

/** Runs create, update, list or show; returns what to print. Throws in words. */
export async function runAccountCommand(tools: KeyTools, command: string, words: readonly string[]): Promise<string> {
  switch (command) {
    case "create":
      return create(tools, words);
    case "update":
      return update(tools, words);
    case "list":
      return list(tools);
    case "show":
      return show(tools, words);
    default:
      throw new Error(accountsUsage);
  }
}

/** A merchant has two accounts, one in each mode. */
async function create({ clients }: KeyTools, words: readonly string[]): Promise<string> {
  const { values } = readArguments(words, { options, positionals: [0, 0], usage: accountsUsage });
  if (values.name === undefined) throw new Error(`--name is missing\n${accountsUsage}`);
  const account = { defaultCurrencyCode: "USD", ...accountOf(values) };
  const lines: string[] = [];
  for (const isLive of [false, true]) {
    const accountId = createId("acct_");
    const made = await clients.writer.createAccount({ account: { ...account, accountId, isLive } });
    lines.push(describe(made.account));
  }
  return [...lines, "", "Make a key with: npm run keys -- create --account acct_…"].join("\n");
}

async function update({ clients }: KeyTools, words: readonly string[]): Promise<string> {
  const { values, positionals } = readArguments(words, { options, positionals: [1, 1], usage: accountsUsage });
  const accountId = positionals[0] ?? "";
  const { account: current } = await clients.reader.getAccount({ accountId });
  const change = accountOf(values, current);
  const paths = Object.entries(masks).flatMap(([field, path]) => (Object.hasOwn(change, field) ? [path] : []));
  if (paths.length === 0) throw new Error(accountsUsage);
  const { account } = await clients.writer.updateAccount({
    account: { ...change, accountId },
    updateMask: { paths },
  });
  return describe(account);
}

async function list(tools: KeyTools): Promise<string> {
  const lines: string[] = [];
  for await (const account of accountsOf(tools)) lines.push(describe(account));
  return lines.join("\n");
}

async function show({ clients }: KeyTools, words: readonly string[]): Promise<string> {
  const { positionals } = readArguments(words, { options: {}, positionals: [1, 1], usage: accountsUsage });
  const { account } = await clients.reader.getAccount({ accountId: positionals[0] ?? "" });
  const { email = "", address = "", acceptor } = account ?? {};
  const shown = Object.entries(acceptor ?? {}).filter(([name, value]) => name !== "$typeName" && value !== "");
  return [
    describe(account),
    ...(email === "" ? [] : [`  email    ${printable(email)}`]),
    ...(address === "" ? [] : [`  address  ${printable(address.replaceAll("\n", ", "))}`]),
    `  banks    ${shown.map(([name, value]) => `${name} ${printable(String(value))}`).join(", ")}`,
  ].join("\n");
}

// Fields of the contract, by their names in an update mask.
const masks = {
  name: "name",
  email: "email",
  address: "address",
  defaultCurrencyCode: "default_currency_code",
  acceptor: "acceptor",
  fee: "fee",
} as const;

function accountOf(given: Given, current?: Account): MessageInitShape<typeof AccountSchema> {
  const { name, email, address, currency, fee } = given;
  return {
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(address !== undefined && { address: address.replaceAll("\\n", "\n") }),
    ...(currency !== undefined && { defaultCurrencyCode: currency.toUpperCase() }),
    ...(fee !== undefined && { fee: parseFee(fee, "--fee") }),
    ...(details.some((detail) => given[detail] !== undefined) && { acceptor: acceptorOf(given, current?.acceptor) }),
  };
}

const details = ["city", "country", "category", "merchant-id", "terminal-id", "time-zone"] as const;

// The details of a merchant are one field of the contract: those that are not given stay as they are.
function acceptorOf(given: Given, current?: CardAcceptor) {
  return {
    city: given.city ?? current?.city ?? "",
    countryCode: given.country?.toUpperCase() ?? current?.countryCode ?? "",
    merchantCategory: given.category ?? current?.merchantCategory ?? "",
    merchantId: given["merchant-id"] ?? current?.merchantId ?? "",
    terminalId: given["terminal-id"] ?? current?.terminalId ?? "",
    timeZone: given["time-zone"] ?? current?.timeZone ?? "",
  };
}

function describe(account: Account | undefined): string {
  if (account === undefined) return "no account";
  const { accountId, isLive, name, defaultCurrencyCode, fee } = account;
  const { basisPoints = 0, fixedMinor = 0 } = fee ?? {};
  const words = basisPoints === 0 && fixedMinor === 0 ? "no fee" : `fee ${basisPoints / 100}%+${fixedMinor}`;
  return [accountId, isLive ? "live   " : "sandbox", defaultCurrencyCode, words, `"${printable(name)}"`].join("  ");
}
