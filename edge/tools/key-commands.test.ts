import { expect, test } from "vitest";
import { systemClock } from "../../services/_runtime/clock.ts";
import { startBench } from "../testing/tripe.ts";
import { runAccountCommand } from "./account-commands.ts";
import { runKeyCommand } from "./api-keys.ts";

const bench = await startBench();
const tools = { clients: bench.tripe.clientsOf("operator"), clock: systemClock };
const keys = (line: string) => {
  const [command = "", ...words] = line.split(" ").filter((word) => word !== "");
  return runKeyCommand(tools, command, words);
};
const accounts = (command: string, ...words: string[]) => runAccountCommand(tools, command, words);
const textIn = (output: string) => /\b[spr]k_(?:test|live)_[0-9A-Za-z]{32}\b/.exec(output)?.[0] ?? "none";
const idIn = (output: string) => /\bkey_[0-9A-Za-z]{24}\b/.exec(output)?.[0] ?? "none";
const statusOf = async (key: string, url = "/v1/charges", method: "GET" | "POST" = "GET") =>
  (await bench.ask({ method, url, key })).status;

test("a key that create prints opens, is listed without its text, and revoke ends it", async () => {
  const made = await keys("create --name Shop --expires 90d");
  expect(textIn(made)).toMatch(/^sk_test_/);
  expect(made).toContain("shown this once");
  expect(await statusOf(textIn(made))).toBe(200);
  const listed = await keys("list");
  expect(listed).toContain(`${idIn(made)}  secret  …${textIn(made).slice(-4)}  "Shop"`);
  expect(listed).not.toContain(textIn(made));
  expect(await keys(`revoke ${idIn(made)}`)).toContain("revoked");
  expect(await keys("list")).toMatch(new RegExp(`${idIn(made)} .*revoked`));
});

test("restricted and publishable keys do what their kind may", async () => {
  const restricted = textIn(await keys("create --scopes charges:read"));
  expect(restricted).toMatch(/^rk_test_/);
  expect([await statusOf(restricted), await statusOf(restricted, "/v1/customers")]).toEqual([200, 403]);
  const publishable = textIn(await keys("create --kind publishable"));
  expect(publishable).toMatch(/^pk_test_/);
  expect(await statusOf(publishable)).toBe(403);
});

test("roll makes a key in the place of another, which still opens for the overlap, or no longer", async () => {
  const old = await keys("create");
  const rolled = await keys(`roll ${idIn(old)} --overlap 1h`);
  expect(textIn(rolled)).not.toBe(textIn(old));
  expect([await statusOf(textIn(rolled)), await statusOf(textIn(old))]).toEqual([200, 200]);
  const unseen = await keys("create");
  await keys(`roll ${idIn(unseen)} --overlap 0s`);
  expect(await statusOf(textIn(unseen))).toBe(401);
  await expect(keys(`roll ${idIn(unseen)} --overlap 1h`)).rejects.toThrow("this key has ended");
});

test("a merchant has two accounts of its own, and its keys open those alone", async () => {
  const made = await accounts("create", "--name", "Acme", "--currency", "eur", "--fee", "1.4%+25", "--city", "Paris");
  const [sandboxId = "", liveId = ""] = made.match(/acct_[0-9A-Za-z]{24}/g) ?? [];
  expect(await accounts("list")).toContain(`${liveId}  live     EUR  fee 1.4%+25  "Acme"`);
  const updated = await accounts("update", sandboxId, "--email", "a@example.com", "--fee", "none", "--country", "fr");
  expect(updated).toContain("no fee");
  const shown = await accounts("show", sandboxId);
  for (const word of ["a@example.com", "city Paris", "countryCode FR", "Acme"]) expect(shown).toContain(word);
  const key = textIn(await keys(`create --account ${sandboxId}`));
  const { body } = await bench.ask({ method: "GET", url: "/v1/charges", key });
  expect(body["data"]).toEqual([]);
  expect(textIn(await keys(`create --account ${liveId}`))).toMatch(/^sk_live_/);
});

test("a name that would draw on the terminal is shown by its characters' numbers", async () => {
  const name = "A\u001b[2J\nkey_1\u009b1m\u202eB\u2028Ä";
  const shown = '"A\\u{1b}[2J\\u{a}key_1\\u{9b}1m\\u{202e}B\\u{2028}Ä"';
  expect(await runKeyCommand(tools, "create", ["--name", name])).toContain(shown);
  expect(await keys("list")).toContain(shown);
  const made = await accounts("create", "--name", name, "--city", name, "--address", "1 Road\\n\u001b[2J");
  expect(made).toContain(shown);
  const [accountId = ""] = made.match(/acct_[0-9A-Za-z]{24}/) ?? [];
  expect((await accounts("show", accountId)).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test.each([
  ["create --kind other", "--kind is one of"],
  ["create --kind restricted", "needs --scopes"],
  ["create --scopes charge:write", "is not a scope"],
  ["create --kind secret --scopes charges:read", "only restricted keys"],
  ["create --expires soon", "--expires is a length of time"],
  ["create --colour red", "usage:"],
  ["create --account acct_none", "there is no account acct_none"],
  ["revoke", "usage:"],
  ["revoke key_none", "there is no key key_none"],
  ["make", "usage:"],
])("npm run keys -- %s is refused in words", async (line, words) => {
  await expect(keys(line)).rejects.toThrow(words);
});

test("npm run accounts refuses in words what it does not know", async () => {
  await expect(accounts("create")).rejects.toThrow("--name is missing");
  await expect(accounts("create", "--name", "A", "--currency", "qqq")).rejects.toThrow("no currency QQQ");
  await expect(accounts("create", "--name", "A", "--fee", "lots")).rejects.toThrow("--fee must be");
  await expect(accounts("update", "acct_none", "--name", "B")).rejects.toThrow("acct_none");
  await expect(accounts("remove")).rejects.toThrow("usage:");
});
