import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeTokenFiles } from "../../services/_runtime/token-files.ts";
import { readCpuOf } from "./cpu.ts";

/** What carries calls between processes. */
export type TransportName = "grpc" | "lane";

/** What one side of a pair is to do. */
export interface PeerRole {
  readonly side: "client" | "server";
  readonly root: string;
  readonly dataDir: string;
  readonly port: number;
  readonly transport: TransportName;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What a side says. */
export type PeerMessage =
  | { readonly is: "ready" }
  | { readonly is: "measuring" }
  | { readonly is: "measured"; readonly calls: number };

/** Calls between two processes over one transport: how many a second, and what both sides spend on each. */
export interface CallCost {
  readonly perSecond: number;
  readonly clientUs: number;
  readonly serverUs: number;
}

/** Measures calls between a pair of processes of its own. */
export async function measureCalls(options: Omit<PeerRole, "dataDir" | "side">): Promise<CallCost> {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-calls-"));
  const sides: ChildProcess[] = [];
  const start = (side: PeerRole["side"]) => {
    const child = fork(join(import.meta.dirname, "call-peer.ts"), { stdio: ["ignore", "inherit", "pipe", "ipc"] });
    sides.push(child);
    child.send({ ...options, dataDir, side } satisfies PeerRole);
    return child;
  };
  try {
    await writeTokenFiles(dataDir, Buffer.alloc(32, 7));
    const server = start("server");
    await nextMessage(server, "ready");
    const client = start("client");
    const read = () => [client, server].map(({ pid = 0 }) => readCpuOf(pid));
    await nextMessage(client, "measuring");
    const before = read();
    const { calls } = await nextMessage(client, "measured");
    const [clientUs = 0, serverUs = 0] = read().map((ms, at) => ((ms - (before[at] ?? 0)) * 1_000) / calls);
    return { perSecond: (calls * 1_000) / options.measureMs, clientUs, serverUs };
  } finally {
    for (const side of sides) side.kill("SIGKILL");
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Waits for a message; rejects with the last words of a side that ends without one. */
async function nextMessage<Is extends PeerMessage["is"]>(
  child: ChildProcess,
  is: Is,
): Promise<Extract<PeerMessage, { is: Is }>> {
  let words = "";
  child.stderr?.on("data", (bytes: Buffer) => (words = `${words}${bytes}`.slice(-1_000)));
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`a side of the pair ended: ${words}`)));
  const [message] = (await Promise.race([once(child, "message"), ended])) as [PeerMessage];
  if (message.is !== is) throw new Error(`a side of the pair said ${message.is} instead of ${is}`);
  return message as Extract<PeerMessage, { is: Is }>;
}
