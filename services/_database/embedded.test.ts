import assert from "node:assert/strict";
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { chmod, chown, constants, cp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test as inTurn, type TestContext, vi } from "vitest";
import { silentLog } from "../_runtime/log.ts";
import { createMemoryFolder } from "../_runtime/testing/memory-folder.ts";
import { reservePorts } from "../_runtime/testing/reserve-ports.ts";
import { connectDatabase } from "./connect.ts";
import { startEmbedded } from "./embedded.ts";
import { isAlive, readPostmaster } from "./embedded-postmaster.ts";
import { testSettings } from "./embedded-settings.ts";

const log = silentLog;

/** A Postgres that was started and stopped once, to be copied: initdb takes most of a first start. */
const used = await createMemoryFolder("tripe-embedded-");
await (await startEmbedded({ dataDir: used, port: await reservePorts(1), log, settings: testSettings })).stop();
afterAll(() => rm(used, { recursive: true, force: true }));

/** Each waits for a Postgres of its own more than it computes: side by side they take a third of the time. */
const test = inTurn.concurrent;

/** Six at once start a Postgres each: some 10 s on a quiet machine. */
vi.setConfig({ testTimeout: 120_000 });

async function setup({ onTestFinished }: TestContext, { deeper = "", isNew = false } = {}) {
  const top = await createMemoryFolder("tripe-embedded-");
  const dataDir = join(top, deeper);
  if (!isNew) await cp(used, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
  const options = { dataDir, port: await reservePorts(1), log, settings: testSettings };
  const postmaster = () => readPostmaster(join(dataDir, "postgres"));
  onTestFinished(async () => {
    const running = postmaster();
    if (running !== undefined && isAlive(running.pid)) process.kill(running.pid, "SIGQUIT");
    // `expect` belongs to the test, which is over.
    await vi.waitFor(() => assert(running === undefined || !isAlive(running.pid)), { timeout: 10_000 });
    await rm(top, { recursive: true, force: true, maxRetries: 5 });
  });
  return { options, dataDir, top, postmaster };
}

async function ask(url: string, text: string): Promise<unknown> {
  const database = connectDatabase({ url, role: "owner", connectionsMax: 2, log });
  try {
    return await database.query({ name: "", text }, []);
  } finally {
    await database.close();
  }
}

test("what was written is there after stop and start, and the secret is the owner's alone", async (context) => {
  const { options, dataDir } = await setup(context, { isNew: true });
  const first = await startEmbedded(options);
  await ask(first.url, "create table kept as select 1 as number");
  await first.stop();
  await expect(ask(first.url, "select 1")).rejects.toThrow();
  const second = await startEmbedded(options);
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, "select number from kept")).toEqual([{ number: 1 }]);
  const key = join(dataDir, "secrets", "database.key");
  expect(await readFile(key, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
  expect((await stat(key)).mode & 0o777).toBe(0o600);
  await second.stop();
});

test("one that still runs is adopted, with what was written", async (context) => {
  const { options, postmaster } = await setup(context);
  const first = await startEmbedded(options);
  const pid = postmaster()?.pid;
  const second = await startEmbedded(options);
  expect(postmaster()?.pid).toBe(pid);
  expect(second.url).toBe(first.url);
  await Promise.all([first.stop(), second.stop()]);
});

test("two starts at once over a new folder end with one Postgres", async (context) => {
  const { options } = await setup(context, { isNew: true });
  const [first, second] = await Promise.all([startEmbedded(options), startEmbedded(options)]);
  await ask(first.url, "create table kept as select 1 as number");
  expect(await ask(second.url, "select number from kept")).toEqual([{ number: 1 }]);
  await Promise.all([first.stop(), second.stop()]);
});

test("a killed Postgres is back by itself, with every committed row", async (context) => {
  const { options, postmaster } = await setup(context);
  const embedded = await startEmbedded({ ...options, settings: { ...testSettings, fsync: "on" } });
  await ask(embedded.url, "create table kept as select 1 as number");
  const killed = postmaster()?.pid ?? 0;
  process.kill(killed, "SIGKILL");
  const read = () => ask(embedded.url, "select number from kept").catch(() => "away");
  await expect.poll(read, { timeout: 10_000 }).toEqual([{ number: 1 }]);
  expect(postmaster()?.pid).not.toBe(killed);
  await embedded.stop();
});

test("the Postgres outlives a killed owner and serves the next one", async (context) => {
  const { options, postmaster } = await setup(context);
  const owner = startElsewhere(options);
  expect(await firstWords(owner)).toBe("up");
  const pid = postmaster()?.pid;
  owner.kill("SIGKILL");
  const embedded = await startEmbedded(options);
  expect(postmaster()?.pid).toBe(pid);
  await embedded.stop();
});

test("a lock left by a dead Postgres whose number another program has now is cleared", async (context) => {
  const { options, dataDir } = await setup(context);
  const lines = [process.ppid, join(dataDir, "postgres"), 1, options.port, "", "127.0.0.1", "  0 0", "ready   "];
  await writeFile(join(dataDir, "postgres", "postmaster.pid"), `${lines.join("\n")}\n`, { mode: 0o600 });
  const embedded = await startEmbedded(options);
  expect(await ask(embedded.url, "select 1 as number")).toEqual([{ number: 1 }]);
  await embedded.stop();
});

test("a port taken by another program is refused in words", async (context) => {
  const { options } = await setup(context, { isNew: true });
  const other = createServer().listen(options.port, "127.0.0.1");
  await expect(startEmbedded(options)).rejects.toThrow(`Port ${options.port}, meant for Postgres, is taken`);
  other.close();
});

test("another major version's folder is refused in words", async (context) => {
  const { options, dataDir } = await setup(context);
  await writeFile(join(dataDir, "postgres", "PG_VERSION"), "17\n");
  await expect(startEmbedded(options)).rejects.toThrow("was written by Postgres 17, and this Tripe brings Postgres 18");
});

test("a key of another folder is refused in words", async (context) => {
  const { options, dataDir } = await setup(context);
  await writeFile(join(dataDir, "secrets", "database.key"), `${"0".repeat(64)}\n`);
  await expect(startEmbedded(options)).rejects.toThrow("refuses the password made from secrets/database.key");
});

test("a folder too deep for a socket is served over TCP", async (context) => {
  const { options } = await setup(context, { deeper: "d".repeat(90) });
  const embedded = await startEmbedded(options);
  expect(new URL(embedded.url).searchParams.get("host")).toBeNull();
  expect(await ask(embedded.url, "select inet_server_port() as port")).toEqual([{ port: options.port }]);
  await embedded.stop();
});

test("no value of a refused statement reaches the log", async (context) => {
  const { options, dataDir } = await setup(context);
  const embedded = await startEmbedded(options);
  await expect(ask(embedded.url, "select 'canary4242'::int")).rejects.toThrow("canary4242");
  await embedded.stop();
  expect(await readFile(join(dataDir, "logs", "postgres.log"), "utf8")).not.toContain("canary4242");
});

const asRoot = inTurn.runIf(process.getuid?.() === 0).concurrent;

asRoot("root's Postgres works in a folder that only root may enter", async (context) => {
  const { options, top } = await setup(context, { deeper: "closed" });
  await chmod(top, 0o700);
  const embedded = await startEmbedded(options);
  expect(await ask(embedded.url, "select 1 as number")).toEqual([{ number: 1 }]);
  await embedded.stop();
});

asRoot(
  "root runs the Postgres of another user's folder as that user, and says so when that user cannot reach it",
  async (context) => {
    const { options, dataDir } = await setup(context);
    spawnSync("chown", ["-R", "65534:65534", join(dataDir, "postgres")]);
    await expect(startEmbedded(options)).rejects.toThrow(`the user 65534, who may not enter ${dataDir}`);
    await chmod(dataDir, 0o711);
    await (await startEmbedded(options)).stop();
    expect((await stat(join(dataDir, "postgres", "PG_VERSION"))).uid).toBe(65534);
  },
);

asRoot("an ordinary user's Postgres is that user's", async (context) => {
  const { options, dataDir } = await setup(context, { isNew: true });
  await chown(dataDir, 65534, 65534);
  const owner = startElsewhere(options, { uid: 65534, gid: 65534 });
  expect(await firstWords(owner)).toBe("up");
  expect((await stat(join(dataDir, "postgres", "postmaster.pid"))).uid).toBe(65534);
  owner.kill("SIGKILL");
});

asRoot(
  "without user namespaces root hands the folder to a user that exists, or says why it cannot",
  async (context) => {
    const { options, dataDir } = await setup(context, { isNew: true });
    const env = { PATH: "/nowhere" };
    expect(await firstWords(startElsewhere(options, { env }))).toContain(`who may not enter ${dataDir}`);
    await chmod(dataDir, 0o711);
    const owner = startElsewhere(options, { env });
    expect(await firstWords(owner)).toBe("up");
    expect((await stat(join(dataDir, "postgres", "postmaster.pid"))).uid).not.toBe(0);
    owner.kill("SIGKILL");
  },
);

/** Starts the same in a process of its own, which prints "up", or why not. */
function startElsewhere(options: { dataDir: string; port: number }, spawnOptions: SpawnOptions = {}): ChildProcess {
  const modulePath = fileURLToPath(new URL("./embedded.ts", import.meta.url));
  const script = `import { startEmbedded } from ${JSON.stringify(modulePath)};
    const quiet = () => undefined;
    const log = { info: quiet, warn: quiet, error: quiet };
    try {
      await startEmbedded({ dataDir: ${JSON.stringify(options.dataDir)}, port: ${options.port}, log });
      process.stdout.write("up");
      setInterval(quiet, 1000);
    } catch (error) {
      process.stdout.write(error.message);
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], {
    ...spawnOptions,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function firstWords(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => child.stdout?.once("data", (data: Buffer) => resolve(data.toString())));
}
