import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createTestClock } from "../../_runtime/clock.ts";
import { createEnvironment } from "../../_runtime/config.ts";
import { createTestFolder } from "../../_runtime/testing/test-folder.ts";
import { openBook } from "./book.ts";
import { isDay, statementFile } from "./statement.ts";

const PROGRAM = fileURLToPath(new URL("statement-program.ts", import.meta.url));

async function setup() {
  const dataDir = await createTestFolder("tripe-statement-");
  const clock = createTestClock(Date.UTC(2026, 0, 1, 23, 59, 59, 999));
  const env = createEnvironment({ TRIPE_DATA_DIR: dataDir });
  const run = async (...args: string[]) => {
    const run = promisify(execFile)(process.execPath, [PROGRAM, ...args], { env });
    const { stdout, stderr, code } = await run.then(
      (done) => ({ ...done, code: 0 }),
      (failed: { stdout: string; stderr: string; code: number }) => failed,
    );
    return { lines: stdout.trim().split("\n"), stderr, code };
  };
  /** Runs it with a reader that is gone before the first line. */
  const runCutOff = async () => {
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const words: Buffer[] = [];
    child.stderr.on("data", (bytes: Buffer) => words.push(bytes));
    const [code] = await once(child, "close");
    return { code, stderr: Buffer.concat(words).toString() };
  };
  return { clock, run, runCutOff, open: () => openBook({ file: statementFile(dataDir), clock }) };
}

test("the program prints a day of the statement as CSV, or all of it, while the bank runs", async () => {
  const { clock, run, runCutOff, open } = await setup();
  const book = await open();
  const buy = {
    kind: "purchase",
    bankRef: "buy,1",
    originalBankRef: "",
    amount: "000000002000",
    currencyNumber: "840",
    number: "4242424242424242",
    expiry: "3412",
  } as const;
  await book.submit(buy);
  // As with `| head`: the end is quiet.
  expect(await runCutOff()).toEqual({ code: 0, stderr: "" });
  clock.advance(1);
  await book.submit({ ...buy, kind: "reverse", bankRef: "undo_1", originalBankRef: "buy,1" });
  const head = "time,kind,amount_minor,currency,bank_ref,original_bank_ref,card";
  const first = '2026-01-01T23:59:59.999Z,purchase,2000,USD,"buy,1",,424242******4242';
  const second = '2026-01-02T00:00:00.000Z,reversal,2000,USD,undo_1,"buy,1",424242******4242';
  const [all, one, none] = await Promise.all([run(), run("2026-01-02"), run("2026-01-03")]);
  await book.close();
  expect([all.lines, one.lines, none.lines]).toEqual([[head, first, second], [head, second], [head]]);
});

test("the program says in words what is no day, and when there is no statement", async () => {
  const { run } = await setup();
  const [noDay, nothing] = await Promise.all([run("2026-02-30"), run()]);
  expect([noDay.code, noDay.stderr]).toEqual([1, expect.stringContaining("No day: 2026-02-30")]);
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining("No statement")]);
});

test("a day is one that the calendar has", () => {
  expect(["2026-02-28", "2028-02-29"].map(isDay)).toEqual([true, true]);
  expect(["2026-02-29", "2026-13-01", "2026-1-1", "", "today"].map(isDay)).toEqual(Array(5).fill(false));
});
