import { expect, test } from "vitest";
import { readConfig } from "../_runtime/config.ts";
import { settingEntries } from "../_runtime/config-table.ts";
import { listProcesses, planProcess } from "./plan.ts";

const DATABASE_URL = "postgres://owner:owner@db.example/tripe";
const urls = {
  reader: "postgres://tripe_reader:r@db.example/tripe",
  writer: "postgres://tripe_writer:w@db.example/tripe",
  audit: "postgres://tripe_audit:a@db.example/tripe",
};

test("a process gets the settings that are its own, and no other", () => {
  const config = readConfig({ DATABASE_URL });
  for (const name of listProcesses(config)) {
    const { environment } = planProcess(name, config, urls);
    const taken = Object.keys(environment).filter((variable) => environment[variable] === undefined);
    const foreign = settingEntries.filter(([, { readers }]) => !readers.includes(name)).map(([setting]) => setting);
    expect(taken.sort(), name).toEqual(foreign.sort());
  }
  const secretsOf = (name: "edge" | "bank" | "mailer" | "pdf") => {
    const { environment } = planProcess(name, config, urls);
    const secrets = ["TRIPE_SECRET_KEY", "TRIPE_CARD_KEY", "SMTP_URL", "DATABASE_URL", "TRIPE_ACQUIRER_KEY"];
    return secrets.filter((secret) => !(secret in environment) || environment[secret] !== undefined);
  };
  expect([secretsOf("edge"), secretsOf("pdf"), secretsOf("mailer"), secretsOf("bank")]).toEqual([
    [],
    [],
    ["SMTP_URL"],
    ["TRIPE_CARD_KEY", "TRIPE_ACQUIRER_KEY"],
  ]);
});

test("each process connects to the database as itself", () => {
  const config = readConfig({ DATABASE_URL });
  expect(planProcess("reader", config, urls).environment["DATABASE_URL"]).toBe(urls.reader);
  expect(planProcess("writer", config, urls).environment["DATABASE_URL"]).toBe(urls.writer);
  expect(() => planProcess("writer", config, undefined)).toThrow("once the database is there");
});

test("a bank of one's own replaces the sandbox bank", () => {
  expect(listProcesses(readConfig({}))).toContain("sandboxBank");
  const own = readConfig({ TRIPE_ACQUIRER_ADDRESS: "127.0.0.1:9000", TRIPE_BANK_ADDRESS: "bank.internal:8084" });
  expect(listProcesses(own)).not.toContain("sandboxBank");
});
