import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServiceClient } from "../client.ts";
import { systemClock as clock } from "../clock.ts";
import { createEnvironment } from "../config.ts";
import { createLaneTransport } from "../lane-transport.ts";
import { silentLog as log } from "../log.ts";
import { socketFolder } from "../sockets.ts";
import { readTokens, writeTokenFiles } from "../token-files.ts";
import { ProbeService } from "./probe_pb.ts";
import { mayCallProbe as mayCall } from "./probe-calls.ts";

/** What came of the calls while a process was replaced. */
export interface Replaced {
  readonly callsCount: number;
  /** The words of each failure. */
  readonly failures: readonly string[];
  /** How many processes answered. */
  readonly processesCount: number;
  /** The longest that a call took, its repeats included. */
  readonly longestMs: number;
}

/** Compiled code is kept, so that every start but the first takes half the time. */
const CACHE = join(tmpdir(), "tripe-test-compile-cache");

/** Fifty a second. */
const CALL_EVERY_MS = 20;

/**
 * Calls a process over its socket 50 times a second, half of it reads, half writes under a request id; starts another that
 * takes its name over, and kills the former with kill -9, so many times.
 */
export async function replaceUnderCalls(rounds: number): Promise<Replaced> {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-replace-"));
  await writeTokenFiles(dataDir, Buffer.alloc(32, 7));
  const { sent: tokens } = await readTokens(dataDir, "edge");
  const addresses = [`unix:${join(socketFolder(dataDir), "reader.sock")}`];
  const transport = createLaneTransport({ name: "reader", addresses, dialing: { tokens, certificates: undefined } });
  const client = createServiceClient(ProbeService, "reader", transport, { caller: "edge", clock, log, mayCall });
  let current = await startProbe(dataDir);
  const calls = startCalls(client);
  try {
    for (let round = 0; round < rounds; round += 1) {
      const next = await startProbe(dataDir);
      await kill(current);
      current = next;
    }
    return await calls.end();
  } finally {
    await calls.end();
    await kill(current);
    transport.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type ProbeClient = ReturnType<typeof createServiceClient<typeof ProbeService>>;

function startCalls(client: ProbeClient): { end(): Promise<Replaced> } {
  const failures: string[] = [];
  const pids = new Set<string>();
  const running: Promise<void>[] = [];
  let longestMs = 0;
  let isOver = false;
  const call = async (number: number) => {
    const startMs = clock.preciseMs();
    try {
      if (number % 2 === 0) await client.read({ text: "10" }, { timeoutMs: 10_000 });
      else pids.add((await client.write({ requestId: `req_${number}` }, { timeoutMs: 10_000 })).text);
    } catch (error) {
      failures.push(String(error));
    }
    longestMs = Math.max(longestMs, clock.preciseMs() - startMs);
  };
  const loop = (async () => {
    while (!isOver) {
      running.push(call(running.length));
      await clock.sleep(CALL_EVERY_MS);
    }
  })();
  return {
    async end() {
      isOver = true;
      await loop;
      await Promise.all(running);
      return { callsCount: running.length, failures, processesCount: pids.size, longestMs };
    },
  };
}

/** Resolves once the process's socket has the service's name. */
async function startProbe(dataDir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "process-child.ts")], {
    env: createEnvironment({ TRIPE_DATA_DIR: dataDir, NODE_COMPILE_CACHE: CACHE }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  await Promise.race([
    once(child.stdout ?? child, "data"),
    once(child, "exit").then(() => Promise.reject(new Error("the probe did not start"))),
  ]);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
