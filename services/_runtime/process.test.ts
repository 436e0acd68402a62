import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createClient } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { createGrpcTransport } from "./grpc-transport.ts";
import { ProbeService } from "./testing/probe_pb.ts";

type Child = ChildProcessByStdio<null, Readable, Readable>;

async function setup(script: "process-child" | "process-parent", env: Record<string, string> = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), "tripe-process-"));
  const address = await freeAddress();
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing", `${script}.ts`)], {
    env: { TRIPE_DATA_DIR: dataDir, TRIPE_READER_ADDRESS: address, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(dataDir, { recursive: true, force: true });
  });
  const transport = createGrpcTransport({ address });
  onTestFinished(() => transport.close());
  return { child, dataDir, address, output: gather(child.stdout), words: gather(child.stderr), transport };
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return `127.0.0.1:${address.port}`;
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
  const answer = createClient(ProbeService, transport).read({ text: "hello" });
  await expect.poll(() => transport.isServing(500), soon).toBe(true);
  child.kill(signal);
  child.kill(signal);
  expect((await answer).text).toBe("hello");
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

test("a port that is taken is said in words", soon, async () => {
  const first = await setup("process-child");
  await expect.poll(first.output, soon).toContain(first.address);
  const second = await setup("process-child", { TRIPE_READER_ADDRESS: first.address });
  expect(await exitOf(second.child)).toBe(1);
  expect(second.words()).toContain(`probe did not start: cannot listen on ${first.address}`);
});
