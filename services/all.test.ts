import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createEnvironment } from "./_runtime/config.ts";

/** Each Tripe of this file takes eleven ports from here on; by process, so that two runs side by side do not meet. */
let port = 22_200 + (process.pid % 8) * 22;

/** A start takes 2 to 4 s on a quiet machine; tests run on a busy one. */
const patient = { timeout: 60_000, interval: 100 };

async function setup() {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-all-"));
  const url = `http://127.0.0.1:${port}`;
  const env = createEnvironment({ PORT: String(port), TRIPE_DATA_DIR: dataDir });
  port += 11;
  const started: ChildProcess[] = [];
  const start = (...flags: string[]) => {
    // Detached: a process group of its own, as a shell gives to each command.
    const child = spawn(process.execPath, [join(import.meta.dirname, "all.ts"), ...flags], {
      env,
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    started.push(child);
    let text = "";
    child.stdout.on("data", (data: Buffer) => {
      text += data.toString();
    });
    return { pid: child.pid ?? 0, output: () => text, ended: new Promise((resolve) => child.once("exit", resolve)) };
  };
  onTestFinished(async () => {
    for (const child of started) {
      if (child.exitCode === null && child.signalCode === null) await stopAtOnce(child.pid ?? 0);
    }
    const lock = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8").catch(() => "");
    const postgres = Number(lock.split("\n")[0]);
    if (postgres > 0) await stopAtOnce(postgres, "SIGQUIT");
    await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
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
  return { start, url, isUp, ask, dataDir };
}

async function stopAtOnce(pid: number, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
  await expect.poll(() => isAlive(pid), patient).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The curl that Tripe prints, as a request. */
const charge = "amount=2000&currency=usd&source=tok_visa";

for (const flags of [[], ["--one-process"]]) {
  const how = flags.length === 0 ? "in processes" : "in one process";

  test(`Tripe ${how} says where it is, charges, ends well, and knows its charges when killed and started again`, async () => {
    const { start, isUp, ask, url, dataDir } = await setup();
    const first = start(...flags);
    await expect.poll(first.output, patient).toContain("Ctrl-C ends it");
    const key = (await readFile(join(dataDir, "secrets", "api.key"), "utf8")).trim();
    expect(first.output()).toContain(`curl ${url}/v1/charges -u ${key}: -d amount=2000`);
    expect(await ask("/v1/charges", charge)).toMatchObject({ object: "charge", paid: true });
    process.kill(-first.pid, "SIGKILL");
    const second = start(...flags);
    await expect.poll(second.output, patient).toContain("Ctrl-C ends it");
    expect(await ask("/v1/charges", charge)).toMatchObject({ object: "charge", paid: true });
    expect(await ask("/v1/charges")).toMatchObject({ data: [{ paid: true }, { paid: true }] });
    process.kill(second.pid, "SIGINT");
    expect(await second.ended).toBe(0);
    expect(await isUp()).toBe(false);
    await expect(readFile(join(dataDir, "postgres", "postmaster.pid"))).rejects.toThrow("ENOENT");
  });
}

test("a killed supervisor leaves nobody on its ports, and a new one starts at once", async () => {
  const { start, isUp } = await setup();
  const first = start();
  await expect.poll(isUp, patient).toBe(true);
  process.kill(first.pid, "SIGKILL");
  const second = start();
  await expect.poll(second.output, patient).toContain("Ctrl-C ends it");
  process.kill(second.pid, "SIGTERM");
  expect(await second.ended).toBe(0);
});

test("a taken port and a bad setting are said in words", async () => {
  const { start, isUp } = await setup();
  const first = start();
  await expect.poll(isUp, patient).toBe(true);
  const second = start();
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/^Tripe does not start: .*\(edge\) are taken by other programs, or by another Tripe/);
  process.kill(first.pid, "SIGTERM");
  expect(await first.ended).toBe(0);
});
