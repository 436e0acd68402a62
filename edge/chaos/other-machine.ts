import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startTestingGuard } from "../../services/_database/start-testing-guard.ts";
import { createEnvironment } from "../../services/_runtime/config.ts";
import { createMemoryFolder } from "../../services/_runtime/testing/memory-folder.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

/** Another machine, as far as networks go: a network namespace that one pair of links joins to ours. */
export interface OtherMachine {
  /** This machine's address on that link, and the other's. */
  readonly ours: string;
  readonly theirs: string;
  /** What goes before a command to have it run there. */
  readonly prefix: readonly string[];
  remove(): Promise<void>;
}

/** Makes one; undefined where that is not allowed: it takes Linux, root, and the right to make network namespaces. */
export async function makeOtherMachine(): Promise<OtherMachine | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  // The namespace lives for as long as this process does, which ends with its input: nothing is left of a run that was killed.
  const holder = spawn("unshare", ["--net", "sh", "-c", "echo ready; exec cat"], { stdio: ["pipe", "pipe", "ignore"] });
  const remove = async () => {
    const ended = once(holder, "exit");
    holder.stdin.end();
    await ended;
  };
  const isReady = await Promise.race([once(holder.stdout, "data"), once(holder, "exit"), once(holder, "error")]).then(
    ([first]) => String(first) === "ready\n",
    () => false,
  );
  if (!isReady) return undefined;
  const prefix = ["nsenter", `--net=/proc/${holder.pid}/ns/net`];
  try {
    return { ...(await link(holder.pid ?? 0, prefix)), prefix, remove };
  } catch {
    await remove();
    return undefined;
  }
}

/** Addresses of this process alone: two runs side by side have links of their own. */
async function link(pid: number, prefix: readonly string[]): Promise<Pick<OtherMachine, "ours" | "theirs">> {
  const network = `10.${192 + ((process.pid >> 8) % 64)}.${process.pid % 256}`;
  const [ours, theirs] = [`${network}.1`, `${network}.2`];
  const [ourLink, theirLink] = [`tripe${pid}a`, `tripe${pid}b`];
  const inside = async (...words: string[]) => run(prefix[0] ?? "", [...prefix.slice(1), "ip", ...words]);
  await run("ip", ["link", "add", ourLink, "type", "veth", "peer", "name", theirLink, "netns", String(pid)]);
  await run("ip", ["addr", "add", `${ours}/24`, "dev", ourLink]);
  await run("ip", ["link", "set", ourLink, "up"]);
  await inside("addr", "add", `${theirs}/24`, "dev", theirLink);
  await inside("link", "set", theirLink, "up");
  await inside("link", "set", "lo", "up");
  return { ours, theirs };
}

/** A Tripe whose services listen on this machine's address, with what another machine needs of it. */
export interface NearTripe {
  readonly machine: OtherMachine;
  readonly tlsDir: string;
  readonly dataDir: string;
  readonly port: number;
  /** How the writer reaches the database; a Unix socket, which is of no network. */
  readonly writerUrl: string;
}

/** The settings of a Tripe with a writer here and a second one on the other machine. */
export function nearSettings({ machine, tlsDir, port }: Omit<NearTripe, "dataDir" | "writerUrl">) {
  const { ours, theirs } = machine;
  return {
    TRIPE_SERVICES_HOST: ours,
    TRIPE_TLS_DIR: tlsDir,
    TRIPE_WRITER_ADDRESS: `${ours}:${port + 2},${theirs}:${port + 2}`,
  };
}

/** What runs on the other machine. */
export interface FarTripe {
  /** The edge's. */
  readonly url: string;
  readonly writerLog: string;
  /** Ends the writer as an operator does. */
  stopWriter(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts an edge and a second writer on the other machine, with a data folder that has the Tripe's keys. */
export async function startFarTripe(near: NearTripe): Promise<FarTripe> {
  const { machine, dataDir, port, writerUrl } = near;
  const { ours, theirs, prefix } = machine;
  const farDir = await createMemoryFolder("tripe-far-");
  const guard = startTestingGuard(farDir);
  await cp(join(dataDir, "secrets"), join(farDir, "secrets"), { recursive: true });
  const start = (path: string, settings: Record<string, string>): ChildProcess => {
    const env = createEnvironment({ ...nearSettings(near), PORT: String(port), TRIPE_DATA_DIR: farDir, ...settings });
    const [command = "", ...words] = [...prefix, process.execPath, join(root, path)];
    const child = spawn(command, words, { env, detached: true, stdio: ["ignore", "ignore", "inherit"] });
    guard.watch(child.pid ?? 0);
    return child;
  };
  const writer = start("services/writer/main.ts", { TRIPE_SERVICES_HOST: theirs, DATABASE_URL: writerUrl });
  // Its callees are those of this machine.
  const edge = start("edge/main.ts", { TRIPE_SERVICES_HOST: ours, TRIPE_LISTEN_HOST: theirs });
  return {
    url: `http://${theirs}:${port}`,
    writerLog: join(farDir, "logs", "writer.log"),
    stopWriter: () => stop(writer),
    async remove() {
      await Promise.all([stop(writer), stop(edge)]);
      await guard.end();
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** Counts the calls of transactions in a writer's log, by rpc. */
export async function countCalls(file: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const line of (await readFile(file, "utf8").catch(() => "")).split("\n")) {
    const [, rpc] = /"caller":"transactions","service":"writer","rpc":"(\w+)"/.exec(line) ?? [];
    if (rpc !== undefined) counts.set(rpc, (counts.get(rpc) ?? 0) + 1);
  }
  return counts;
}
