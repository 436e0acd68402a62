import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../_runtime/clock.ts";
import { type Config, readConfig } from "../_runtime/config.ts";
import { silentLog } from "../_runtime/log.ts";
import { createSecret } from "../_runtime/secret.ts";
import { reservePorts } from "../_runtime/testing/reserve-ports.ts";
import { readStatement } from "../bank/sandbox/statement.ts";
import { runProgram } from "./program.ts";
import { createWorld } from "./testing/world.ts";

const port = await reservePorts(11);

const { tripe, owner, day, forget } = await createWorld();
afterAll(() => owner.end());

async function run(config: Config) {
  const lines: string[] = [];
  const exitCode = await runProgram({
    config,
    readStatement: () => readStatement(tripe.statementFile),
    clock: systemClock,
    log: silentLog,
    print: (line) => lines.push(line),
  });
  return { exitCode, lines };
}

/** As `npm start` gives it to a process, with the sandbox bank at its place. */
function configOf(): Config {
  const config = readConfig({ PORT: String(port), TRIPE_DATA_DIR: tripe.config.dataDir });
  return { ...config, databaseUrl: createSecret(tripe.database.urls.audit) };
}

test("books that balance are said to, one line per check, exit code 0", async () => {
  const { exitCode, lines } = await run(configOf());
  expect(exitCode).toBe(0);
  const checked = lines.filter((line) => line.startsWith("ok "));
  expect(checked.length).toBeGreaterThan(30);
  const [, count] =
    /^The books balance: (\d+) checks, a bank statement of 4 lines, \d\.\d s\.$/.exec(lines.at(-1) ?? "") ?? [];
  expect(Number(count)).toBe(checked.length);
  expect(lines[0]).toMatch(/^ok {4}transfers-balance +0 +\d+ ms {2}Every transfer has entries/);
});

test("a fault is shown with its row and its number, exit code 1", async () => {
  onTestFinished(forget);
  await owner.query(`update charge set returned_minor = 2001 where charge_id = '${day.paidId}'`);
  const { exitCode, lines } = await run(configOf());
  expect(exitCode).toBe(1);
  expect(lines.at(-1)).toMatch(/^The books do NOT balance: returns-within; /);
  expect(lines.join("\n")).toContain(`"charge_id":"${day.paidId}"`);
});

test("the statement of a bank of one's own is not compared, and that is said", async () => {
  const { acquirer } = readConfig({ TRIPE_ACQUIRER_ADDRESS: "127.0.0.1:26999" });
  const { exitCode, lines } = await run({ ...configOf(), acquirer });
  expect(exitCode).toBe(0);
  expect(lines[0]).toBe("The bank at 127.0.0.1:26999 is not the sandbox: its statement is not compared.");
});

test("without a running Postgres it says so and proves nothing", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-audit-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const stopped = await run(readConfig({ PORT: String(port), TRIPE_DATA_DIR: dataDir }));
  expect(stopped).toMatchObject({ exitCode: 1, lines: [expect.stringContaining("Postgres is not running on")] });
  const away = await run({
    ...configOf(),
    databaseUrl: createSecret("postgres://tripe_audit:x@127.0.0.1:1/tripe"),
  });
  expect(away).toMatchObject({ exitCode: 1, lines: ["The Postgres of DATABASE_URL does not answer."] });
});
