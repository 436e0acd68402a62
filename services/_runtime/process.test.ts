import { type ChildProcessByStdio, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { createGrpcTransport } from "./grpc-transport.ts";
import { socketFolder } from "./sockets.ts";
import { bareCall } from "./testing/bare-calls.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { readTokens, writeTokenFiles } from "./token-files.ts";

type Child = ChildProcessByStdio<null, Readable, Readable>;

async function setup(script: "process-child" | "process-parent", env: Record<string, string> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), "tripe-process-"));
  await writeTokenFiles(dataDir, Buffer.alloc(32, 7));
  const address = `unix:${join(socketFolder(dataDir), "reader.sock")}`;
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing", `${script}.ts`)], {
    env: { TRIPE_DATA_DIR: dataDir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(dataDir, { recursive: true, force: true });
  });
  const dialing = { tokens: (await readTokens(dataDir, "edge")).sent, certificates: undefined };
  const transport = createGrpcTransport({ name: "reader", addresses: [address], dialing });
  onTestFinished(() => transport.close());
  return { child, dataDir, address, output: gather(child.stdout), words: gather(child.stderr), transport };
}

function gather(stream: Readable): () => string {
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  return () => text;
}

const exitOf = (child: Child) => new Promise<number | null>((resolve) => child.on("exit", resolve));
// Each starts one or two processes of Node; on a machine busy with other tests that has taken 8 s.
const soon = { timeout: 30_000 };

test.each(["SIGTERM", "SIGINT"] as const)("%s lets running calls end, then the process", soon, async (signal) => {
  const { child, dataDir, address, output, transport } = await setup("process-child");
  await expect.poll(output, soon).toContain(address);
  const exited = exitOf(child);
  const answer = transport.unary(ProbeService.method.read, bareCall(), { text: "hello" });
  await expect.poll(() => transport.isServing(500), soon).toBe(true);
  child.kill(signal);
  child.kill(signal);
  expect((await answer).message.text).toBe("hello");
  expect(await exited).toBe(0);
  expect(output().match(/closed/g)).toHaveLength(1);
  const log = readFileSync(join(dataDir, "logs", "probe.log"), "utf8");
  expect(log).toMatch(/"message":"serving"[\s\S]*"rpc":"Read"[\s\S]*"message":"stopped"/);
});

test("a child ends when its parent is killed with -9", soon, async () => {
  const { child, output, transport } = await setup("process-parent");
  await expect.poll(output, soon).toContain('{"ready":true}');
  expect(await transport.isServing(500)).toBe(true);
  child.kill("SIGKILL");
  await expect.poll(output, soon).toContain("closed");
  await expect.poll(() => transport.isServing(200), soon).toBe(false);
});

test("a bad setting is said in words, and the process ends with 1", soon, async () => {
  const { child, words } = await setup("process-child", { PORT: "eighty" });
  expect(await exitOf(child)).toBe(1);
  expect(words()).toContain('probe did not start: PORT must be a whole number from 1 to 65525, not "eighty"');
  expect(words()).not.toContain("    at ");
});

test("a folder of sockets that another user may enter is refused in words", soon, async () => {
  const runDir = mkdtempSync(join(tmpdir(), "tripe-open-"));
  onTestFinished(() => rmSync(runDir, { recursive: true, force: true }));
  chmodSync(runDir, 0o755);
  const { child, words } = await setup("process-child", { TRIPE_RUN_DIR: runDir });
  expect(await exitOf(child)).toBe(1);
  expect(words()).toContain(`probe did not start: ${runDir} must be a folder of this user that nobody else may enter`);
});
