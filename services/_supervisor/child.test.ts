import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../_runtime/clock.ts";
import { silentLog } from "../_runtime/log.ts";
import { startChild } from "./child.ts";
import { stopInOrder } from "./processes.ts";

/** Each line of a child's log is one of its lives; it writes down its name when it ends well. */
const program = `
  process.stdout.write("alive " + process.pid + " " + process.env.GREETING + "\\n");
  process.on("message", ({ replaced }) => { if (replaced) process.stdout.write("replaced\\n", () => process.exit(0)); });
  process.send({ ready: true });
  process.on("SIGTERM", () => { process.stdout.write("ended " + Date.now() + "\\n"); process.exit(0); });
  process.on("disconnect", () => process.exit(0));
  setInterval(() => undefined, 1000);
`;

async function setup() {
  const logsDir = await mkdtemp(join(tmpdir(), "tripe-child-"));
  const said: string[] = [];
  const start = async (name: string, text = program, endRank = 0) => {
    const main = join(logsDir, `${name}.mjs`);
    await writeFile(main, text);
    const plan = { name, main, address: "127.0.0.1:22001", environment: { GREETING: "hello" }, endRank };
    const child = startChild(plan, { logsDir, clock: systemClock, log: silentLog, say: (words) => said.push(words) });
    onTestFinished(child.stop);
    const lines = async () => (await readFile(join(logsDir, `${name}.log`), "utf8")).split("\n").filter(Boolean);
    const lives = async () => (await lines()).filter((line) => line.startsWith("alive")).length;
    return { child, lines, lives, main };
  };
  onTestFinished(() => rm(logsDir, { recursive: true, force: true }));
  return { start, said };
}

const patient = { timeout: 10_000 };

test("a child runs with its environment and ends on stop", async () => {
  const { start, said } = await setup();
  const { child, lines, lives } = await start("one");
  await expect.poll(lives, patient).toBe(1);
  expect(await lines()).toEqual([`alive ${child.pid()} hello`]);
  await child.stop();
  expect((await lines()).at(-1)).toMatch(/^ended/);
  expect(said).toEqual([]);
});

test("a killed child is back within two seconds", async () => {
  const { start, said } = await setup();
  const { child, lives } = await start("one");
  await expect.poll(lives, patient).toBe(1);
  const killMs = systemClock.preciseMs();
  process.kill(child.pid() ?? 0, "SIGKILL");
  await expect.poll(lives, patient).toBe(2);
  expect(systemClock.preciseMs() - killMs).toBeLessThan(2_000);
  expect(said[0]).toMatch(/^one ended \(SIGKILL\); started again in 0.1 s, see .*one\.log$/);
});

test("a child that cannot start is tried ever more rarely", async () => {
  const { start, said } = await setup();
  await start("broken", "process.exit(3)");
  await expect.poll(() => said.length, patient).toBe(3);
  expect(said.map((words) => /\((.*)\).* in (\S+) s/.exec(words)?.slice(1))).toEqual([
    ["exit code 3", "0.1"],
    ["exit code 3", "0.4"],
    ["exit code 3", "1.6"],
  ]);
});

test("a child that is stopped between two lives stays gone", async () => {
  const { start, said } = await setup();
  const { child } = await start("broken", "process.exit(3)");
  await expect.poll(() => said.length, patient).toBe(2);
  await child.stop();
  expect(child.pid()).toBeUndefined();
});

test("children end rank by rank", async () => {
  const { start } = await setup();
  const last = await start("last", program, 2);
  const first = await start("first", program, 0);
  await expect.poll(async () => [await last.lives(), await first.lives()], patient).toEqual([1, 1]);
  await stopInOrder([last.child, first.child]);
  const endOf = async (one: typeof first) => Number((await one.lines()).at(-1)?.split(" ")[1]);
  expect(await endOf(first)).toBeLessThan(await endOf(last));
});

test("another process takes a child's place: it serves before the former is told to end", async () => {
  const { start, said } = await setup();
  const { child, lines, lives } = await start("one");
  await expect.poll(lives, patient).toBe(1);
  const former = child.pid();
  await child.replace();
  expect(await lines()).toEqual([`alive ${former} hello`, `alive ${child.pid()} hello`, "replaced"]);
  // It is kept running as the first was.
  process.kill(child.pid() ?? 0, "SIGKILL");
  await expect.poll(lives, patient).toBe(3);
  expect(said).toEqual([expect.stringMatching(/^one ended \(SIGKILL\)/)]);
});

test("a child goes on where the process that is to take its place does not come up", async () => {
  const { start } = await setup();
  const { child, lives, main } = await start("one");
  await expect.poll(lives, patient).toBe(1);
  const former = child.pid();
  await writeFile(main, "process.exit(3)");
  await expect(child.replace()).rejects.toThrow(
    /^the new one does not come up \(exit code 3\), see .*one\.log; the former/,
  );
  expect(child.pid()).toBe(former);
  await writeFile(main, program);
  await child.replace();
  expect(child.pid()).not.toBe(former);
});

test("a child that dies while it is being replaced is followed by the process that was to take its place", async () => {
  const { start, said } = await setup();
  const { child, lines, lives } = await start("one");
  await expect.poll(lives, patient).toBe(1);
  const replaced = child.replace();
  await expect(child.replace()).rejects.toThrow("one is being replaced already");
  process.kill(child.pid() ?? 0, "SIGKILL");
  await replaced;
  expect(await lines()).toEqual([expect.anything(), `alive ${child.pid()} hello`]);
  expect(said).toEqual([]);
});
