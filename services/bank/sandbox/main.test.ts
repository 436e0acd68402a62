import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createEnvironment } from "../../_runtime/config.ts";
import { createSecret } from "../../_runtime/secret.ts";
import { reservePorts } from "../../_runtime/testing/reserve-ports.ts";
import { createTestFolder } from "../../_runtime/testing/test-folder.ts";
import type { MoneyRequest } from "../connector.ts";
import { ACCEPTOR } from "../testing/acceptor.ts";
import { testPassword } from "../testing/password.ts";
import { collect, connectTo } from "../testing/sandbox.ts";
import { readStatement, statementFile } from "./statement.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** Compiled code is kept, so that every start but the first takes half the time. */
const CACHE = join(tmpdir(), "tripe-test-compile-cache");

const BUY: MoneyRequest = {
  bankRef: "buy_1",
  acceptor: ACCEPTOR,
  card: { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 },
  amountMinor: 2_000n,
  currencyCode: "USD",
  originalBankRef: "",
  isRepeat: false,
  timeoutMs: 5_000,
};

/** A sandbox bank as a process of its own. */
async function setup() {
  const port = await reservePorts(1);
  const dataDir = await createTestFolder("tripe-sandbox-");
  const start = (changes: Record<string, string> = {}) => {
    const env = createEnvironment({
      TRIPE_SANDBOX_PORT: String(port),
      TRIPE_DATA_DIR: dataDir,
      TRIPE_ACQUIRER_PASSWORD: testPassword,
      NODE_COMPILE_CACHE: CACHE,
      ...changes,
    });
    const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
  const startReady = async () => {
    const child = start();
    await once(child, "message");
    return child;
  };
  return {
    start,
    startReady,
    connector: connectTo(port),
    statement: () => collect(readStatement(statementFile(dataDir))),
  };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("kill -9 under load: what was answered is in the statement, and repeats end with one effect each", async () => {
  const { startReady, connector, statement } = await setup();
  const refs = Array.from({ length: 300 }, (_, index) => `buy_${index}`);
  const answered: string[] = [];
  let unknowns = 0;
  let child = await startReady();
  const crash = async () => {
    await kill(child);
    const durable = new Set((await statement()).map(({ bankRef }) => bankRef));
    expect(answered.filter((ref) => !durable.has(ref))).toEqual([]);
    child = await startReady();
  };
  const settle = async (bankRef: string) => {
    for (let tries = 0; tries < 100; tries++) {
      const answer = await connector.purchase({ ...BUY, bankRef, isRepeat: tries > 0 });
      if (answer.outcome === "unknown") unknowns += 1;
      if (answer.outcome === "accepted") return answered.push(bankRef);
    }
    throw new Error(`${bankRef} has no end`);
  };
  const waiting = [...refs];
  const crashes: Promise<void>[] = [];
  const work = async () => {
    for (let ref = waiting.shift(); ref !== undefined; ref = waiting.shift()) {
      const count = await settle(ref);
      if (count === 100 || count === 200) crashes.push(crash());
    }
  };
  // Thirty at a time, so that the two crashes find requests on the way.
  await Promise.all(Array.from({ length: 30 }, work));
  await Promise.all(crashes);
  expect([crashes.length, unknowns > 0]).toEqual([2, true]);
  expect((await statement()).map(({ bankRef }) => bankRef).sort()).toEqual(refs.sort());
}, 30_000);

test("a second bank on the same file ends at once, in words, and the first goes on", async () => {
  const { start, startReady, connector, statement } = await setup();
  await startReady();
  const second = start({ PORT: String(await reservePorts(10)) });
  const [words] = await once(second.stderr ?? second, "data");
  const [code] = await once(second, "exit");
  expect([code, String(words)]).toEqual([1, expect.stringContaining("is held by another process")]);
  expect(await connector.purchase(BUY)).toMatchObject({ outcome: "accepted" });
  expect((await statement()).length).toBe(1);
});

test("SIGTERM ends the bank well, and it starts again over what it knew", async () => {
  const { startReady, connector } = await setup();
  const first = await startReady();
  const answer = await connector.purchase(BUY);
  first.kill("SIGTERM");
  expect((await once(first, "exit"))[0]).toBe(0);
  await startReady();
  expect(await connector.purchase({ ...BUY, isRepeat: true })).toEqual(answer);
});

test("without a password, and without the file of one, the bank does not start, and says what is missing", async () => {
  const { start } = await setup();
  const child = start({ TRIPE_ACQUIRER_PASSWORD: "" });
  const [words] = await once(child.stderr ?? child, "data");
  expect(String(words)).toMatch(/sandbox-bank\.json, which npm start writes.*TRIPE_ACQUIRER_PASSWORD/);
});

test("faults that cannot be read keep the bank from starting", async () => {
  const { start } = await setup();
  const child = start({ TRIPE_BANK_FAULTS: "42:burn=5" });
  const [words] = await once(child.stderr ?? child, "data");
  expect(String(words)).toContain("TRIPE_BANK_FAULTS must be a seed and percentages");
});
