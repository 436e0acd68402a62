import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { edgeActions, listenAddress, readConfig } from "./config.ts";
import { writeSettings } from "./config-markdown.ts";
import { settingEntries } from "./config-table.ts";

test("every setting has a default", () => {
  const config = readConfig({});
  expect(config).toMatchObject({ port: 8_080, listenHost: "127.0.0.1", dataDir: ".tripe", edgeActions });
  expect(config.acquirer).toMatchObject({ host: "127.0.0.1", port: 8_089, tls: false, isSandbox: true });
  expect(config.addresses.reader).toEqual([`unix:${resolve(".tripe/run/reader.sock")}`]);
  expect(config.databaseUrl).toBeUndefined();
  expect([config.cardKey, config.bankFaults, config.crashAt]).toEqual([undefined, "", undefined]);
});

test("the settings that are read are those of the table", () => {
  const asked = new Set<string>();
  readConfig(
    new Proxy<Record<string, string | undefined>>(
      {},
      {
        get(_, name) {
          asked.add(String(name));
          return undefined;
        },
      },
    ),
  );
  expect([...asked].sort()).toEqual(settingEntries.map(([name]) => name).sort());
});

test("the README's table is that of config-table.ts", () => {
  const page = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(writeSettings(page)).toBe(page);
});

test("services listen on sockets in the data folder, and one may live elsewhere, or several", () => {
  const config = readConfig({
    TRIPE_DATA_DIR: "/srv/tripe",
    TRIPE_PDF_ADDRESS: "pdf.internal:50051",
    TRIPE_WRITER_ADDRESS: "unix:/srv/a.sock, unix:/srv/b.sock",
  });
  expect(config.addresses).toMatchObject({
    reader: ["unix:/srv/tripe/run/reader.sock"],
    writer: ["unix:/srv/a.sock", "unix:/srv/b.sock"],
    pdf: ["pdf.internal:50051"],
  });
  expect(listenAddress(config, "pdf")).toBe("unix:/srv/tripe/run/pdf.sock");
  expect(readConfig({ TRIPE_RUN_DIR: "/run/tripe" }).addresses.bank).toEqual(["unix:/run/tripe/bank.sock"]);
});

test("the edge's host is the edge's alone, IPv6 with or without brackets", () => {
  const config = readConfig({ TRIPE_LISTEN_HOST: "0.0.0.0", TRIPE_SERVICES_HOST: "[::1]", TRIPE_TLS_DIR: "/tls" });
  expect([listenAddress(config, "edge"), listenAddress(config, "pdf")]).toEqual(["0.0.0.0:8080", "[::1]:8083"]);
  expect(config.addresses.pdf).toEqual(["[::1]:8083"]);
  expect(listenAddress(readConfig({ TRIPE_LISTEN_HOST: "::" }), "edge")).toBe("[::]:8080");
});

test("an empty variable counts as absent", () => {
  expect(readConfig({ PORT: "", SMTP_URL: " ", TRIPE_NONSENSE: "" })).toMatchObject({
    port: 8_080,
    smtpUrl: undefined,
  });
});

test.each([
  [{ PORT: "http" }, "PORT must be a whole number"],
  [{ PORT: "65530" }, "PORT must be a whole number from 1 to 65525"],
  [{ TRIPE_LISTEN_HOST: "127.0.0.1:80" }, "TRIPE_LISTEN_HOST must be a host's name or address"],
  [{ TRIPE_SERVICES_HOST: "0.0.0.0" }, "TRIPE_SERVICES_HOST is 0.0.0.0, but TRIPE_TLS_DIR is not set"],
  [{ TRIPE_BANK_ADDRESS: "bank" }, "TRIPE_BANK_ADDRESS must be host:port or unix:/path"],
  [{ TRIPE_BANK_ADDRESS: "unix:/bank.sock,bank:80" }, "or a list of one kind"],
  [{ TRIPE_READER_ADDRESS: "http://reader:80" }, "TRIPE_READER_ADDRESS must be host:port"],
  [{ DATABASE_URL: "mysql://x" }, "DATABASE_URL must be an address that starts with postgres://"],
  [{ SMTP_URL: "mail.example.com" }, "SMTP_URL must be an address that starts with smtp:// or smtps://"],
  [{ TRIPE_SECRET_KEY: "sk_live_12345678" }, "TRIPE_SECRET_KEY must be"],
  [{ TRIPE_BANK_FAULTS: "nonsense" }, "TRIPE_BANK_FAULTS must be a seed and percentages"],
  [{ TRIPE_BANK_FAULTS: "42:lose=5,worse=1" }, "TRIPE_BANK_FAULTS must be a seed and percentages"],
  [{ TRIPE_CRASH_AT: "0" }, "TRIPE_CRASH_AT must be a whole number from 1"],
  [{ TRIPE_EDGE_ACTIONS: "charges,refunds" }, '"refunds" is none of them'],
])("a bad setting is refused in words: %o", (env, words) => {
  expect(() => readConfig(env)).toThrow(words);
});

test.each([
  ["TRIPE_ACOUNT_NAME", "TRIPE_ACOUNT_NAME is no setting of Tripe; did you mean TRIPE_ACCOUNT_NAME?"],
  ["TRIPE_PORT", "TRIPE_PORT is no setting of Tripe; README.md lists the settings"],
  ["TRIPE_WEBHOOK_LOOPBACK", "did you mean TRIPE_WEBHOOKS_LOOPBACK?"],
  ["DATABASE_REPLICA_URL", "DATABASE_REPLICA_URL is no setting of Tripe: Tripe reads from DATABASE_URL alone"],
])("%s, which is no setting, is refused with the nearest name", (name, words) => {
  expect(() => readConfig({ [name]: "8080" })).toThrow(words);
});

test("the variables that Kubernetes makes for services named tripe are no settings, and pass", () => {
  const links = {
    TRIPE_PORT: "tcp://10.0.0.1:80",
    TRIPE_READER_SERVICE_HOST: "10.0.0.2",
    TRIPE_READER_SERVICE_PORT: "8081",
    TRIPE_READER_SERVICE_PORT_GRPC: "8081",
    TRIPE_READER_PORT_8081_TCP: "tcp://10.0.0.2:8081",
    TRIPE_READER_PORT_8081_TCP_ADDR: "10.0.0.2",
  };
  expect(readConfig(links)).toEqual(readConfig({}));
});

test("an edge may serve some of the actions", () => {
  expect(readConfig({ TRIPE_EDGE_ACTIONS: "returns, charges" }).edgeActions).toEqual(["charges", "returns"]);
});

test("passwords and keys do not show, neither when printed nor when refused", () => {
  const env = {
    DATABASE_URL: "postgres://me:hunter2@db/tripe",
    TRIPE_SECRET_KEY: "sk_test_abcdefgh",
    TRIPE_CARD_KEY: "hunter2abcdefgh",
  };
  const config = readConfig(env);
  expect(config.databaseUrl?.reveal()).toBe(env.DATABASE_URL);
  const shown = [JSON.stringify(config), inspect(config), `${config.databaseUrl} ${config.secretKey}`].join();
  expect(shown).not.toMatch(/hunter2|abcdefgh/);
  expect(() => readConfig({ DATABASE_URL: "mysql://me:hunter2@db" })).not.toThrow("hunter2");
});

test("the merchant has one address, and a name that fits an invoice", () => {
  const TRIPE_ACCOUNT_EMAIL = "ann@example.com";
  expect(readConfig({ TRIPE_ACCOUNT_EMAIL }).account).toEqual({ email: TRIPE_ACCOUNT_EMAIL });
  expect(() => readConfig({ TRIPE_ACCOUNT_EMAIL: "Ann <ann@example.com>" })).toThrow("TRIPE_ACCOUNT_EMAIL must be one");
  expect(() => readConfig({ TRIPE_ACCOUNT_NAME: "x".repeat(501) })).toThrow("at most 500");
});
