import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isAlive } from "./_database/embedded-postmaster.ts";
import { startTestingGuard } from "./_database/start-testing-guard.ts";
import { createEnvironment } from "./_runtime/config.ts";
import { readRunFile } from "./_runtime/run-file.ts";
import { linkCodeCache } from "./_runtime/testing/code-cache.ts";
import { createMemoryFolder } from "./_runtime/testing/memory-folder.ts";
import { reservePorts } from "./_runtime/testing/reserve-ports.ts";

/** A first start compiles everything, ten times over: 8 s on a quiet machine, 30 s on a busy one. */
const patient = { timeout: 90_000, interval: 100 };
const testTimeout = 240_000;

async function setup() {
  const dataDir = await createMemoryFolder("tripe-all-");
  await linkCodeCache(dataDir);
  const port = await reservePorts(11);
  const url = `http://127.0.0.1:${port}`;
  const env = createEnvironment({ PORT: String(port), TRIPE_DATA_DIR: dataDir });
  const guard = startTestingGuard(dataDir);
  /** 0 when it has ended well. */
  const postgresPid = async () => {
    const lock = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8").catch(() => "");
    return Number(lock.split("\n")[0]);
  };
  const start = (...flags: string[]) =>
    launch(process.execPath, [join(import.meta.dirname, "..", ".config", "start.mjs"), ...flags], process.cwd());
  // Without `prestart`, which would look for what is to be installed.
  const startByNpm = (...flags: string[]) =>
    launch("npm", ["start", "--ignore-scripts", "--", ...flags], join(import.meta.dirname, ".."));
  const launch = (program: string, args: string[], cwd: string) => {
    // Detached: a process group of its own, as a shell gives to each command.
    const child = spawn(program, args, { env, cwd, detached: true, stdio: ["ignore", "pipe", "inherit"] });
    guard.watch(child.pid ?? 0);
    let text = "";
    child.stdout.on("data", (data: Buffer) => {
      text += data.toString();
    });
    return { pid: child.pid ?? 0, output: () => text, ended: new Promise((resolve) => child.once("exit", resolve)) };
  };
  onTestFinished(() => guard.end());
  const isUp = () =>
    fetch(`${url}/healthz`).then(
      (answer) => answer.status === 200,
      () => false,
    );
  const key = async () => (await readFile(join(dataDir, "secrets", "api.key"), "utf8")).trim();
  const ask = async (path: string, body?: string) => {
    const headers = { authorization: `Bearer ${await key()}`, "content-type": "application/x-www-form-urlencoded" };
    const answer = await fetch(`${url}${path}`, { headers, ...(body === undefined ? {} : { method: "POST", body }) });
    const json: unknown = await answer.json();
    return json;
  };
  return { start, startByNpm, dataDir, url, isUp, ask, key, postgresPid };
}

/** The curl that Tripe prints, as a request. */
const charge = "amount=2000&currency=usd&source=tok_visa";

const isUpWords = "Ctrl-C ends it";

// How it survives kills is the matter of edge/chaos/kill.test.ts.
test("Tripe in processes says where it is, refuses to start twice, and ends well", {
  timeout: testTimeout,
}, async () => {
  const { start, isUp, ask, url, key, postgresPid } = await setup();
  const first = start();
  await expect.poll(first.output, patient).toContain(isUpWords);
  expect(first.output()).toContain(`curl ${url}/v1/charges -u ${await key()}: -d amount=2000`);
  expect(await ask("/v1/charges", charge)).toMatchObject({ object: "charge", paid: true });

  const refused = start();
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toMatch(
    /^Tripe does not start: .*\(edge\) are taken by other programs, or by another Tripe/,
  );

  // One Ctrl-C comes twice: from the terminal, and from npm.
  process.kill(first.pid, "SIGINT");
  process.kill(first.pid, "SIGINT");
  expect(await first.ended).toBe(0);
  expect(await isUp()).toBe(false);
  expect(await postgresPid()).toBe(0);
});

test("Tripe in one process answers too, keeps what it has through kill -9, and ends with npm", {
  timeout: testTimeout,
}, async () => {
  const { start, startByNpm, dataDir, isUp, ask, postgresPid } = await setup();
  const first = start("--one-process");
  await expect.poll(first.output, patient).toContain(isUpWords);
  expect(await ask("/v1/charges", charge)).toMatchObject({ object: "charge", paid: true });
  process.kill(first.pid, "SIGKILL");
  await first.ended;
  expect(readRunFile(dataDir)).toBeUndefined();
  const second = startByNpm("--one-process");
  await expect.poll(second.output, patient).toContain(isUpWords);
  expect(await ask("/v1/charges")).toMatchObject({ data: [{ paid: true }] });
  const { pid } = readRunFile(dataDir) ?? { pid: 0 };
  expect(pid).toBeGreaterThan(0);
  // No signal that can be caught: npm's shell, and what it runs, learn nothing of it.
  process.kill(second.pid, "SIGKILL");
  await expect.poll(postgresPid, patient).toBe(0);
  await expect.poll(() => isAlive(pid), patient).toBe(false);
  expect(await isUp()).toBe(false);
});
