import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createClient } from "../../services/_database/connect-client.ts";
import { createPasswords } from "../../services/_database/create-passwords.ts";
import { startEmbedded } from "../../services/_database/embedded.ts";
import { migrate } from "../../services/_database/migrate.ts";
import { setRoles } from "../../services/_database/roles.ts";
import { startTestingGuard } from "../../services/_database/start-testing-guard.ts";
import type { TestDatabase } from "../../services/_database/testing.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import { childrenOf, signal } from "../chaos/processes.ts";

/** A Postgres that belongs to one test file, so that all of it may go wrong, on a small disk of its own where that can be had. */
export interface OwnPostgres {
  readonly database: TestDatabase;
  /** Whether its disk is its own and can be filled: as root, where file systems may be mounted. */
  readonly hasOwnDisk: boolean;
  /** What its keeper wrote for the person at the terminal. */
  readonly said: readonly string[];
  /** Runs statements as the superuser, each a transaction of its own. */
  run(...statements: string[]): Promise<void>;
  pid(): number;
  /** Stops all of its processes as they are (SIGSTOP); resolves to what lets them go on. */
  freeze(): Promise<() => void>;
  /** Fills the disk to its last byte; returns what makes it free again. */
  fillDisk(): () => void;
}

/** Some 60 MB of Postgres with two segments of its log, and room to work. */
const DISK = "size=192m,mode=0755";

/** Writes reach a disk in memory: the crash and the full disk are real, and fsync costs nothing. */
const SETTINGS = { shared_buffers: "32MB", max_wal_size: "48MB", min_wal_size: "32MB", max_connections: "60" };

/** Starts it; it ends with the file's tests. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const disk = mkdtempSync(join(tmpdir(), "tripe-disk-"));
  const hasOwnDisk = mount(disk);
  const dataDir = join(disk, "data");
  mkdirSync(dataDir);
  const guard = startTestingGuard(dataDir);
  const said: string[] = [];
  const say = (words: string) => said.push(words);
  const embedded = await startEmbedded({ dataDir, port: await freePort(), log: silentLog, say, settings: SETTINGS });
  afterAll(async () => {
    await embedded.stop();
    await guard.end();
    if (hasOwnDisk) execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  const owner = { url: embedded.url, passwords: await createPasswords(dataDir), log: silentLog };
  await migrate({ url: owner.url, log: silentLog });
  const roleUrls = await setRoles(owner);
  const ownerUrl = new URL(owner.url);
  ownerUrl.searchParams.set("options", "-c search_path=tripe,public");
  const urls = { owner: ownerUrl.href, ...roleUrls };
  const pid = () => Number(readFileSync(join(dataDir, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
  return {
    database: { name: "tripe", urls, drop: async () => undefined },
    hasOwnDisk,
    said,
    pid,
    run: (...statements) => runAs(urls.owner, statements),
    async freeze() {
      const pids = [pid(), ...(await childrenOf(pid())).map((child) => child.pid)];
      for (const one of pids) signal(one, "SIGSTOP");
      return () => {
        for (const one of pids) signal(one, "SIGCONT");
      };
    },
    fillDisk: () => fill(join(disk, "filler")),
  };
}

function mount(folder: string): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", DISK, "tripe-test", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function fill(path: string): () => void {
  const file = openSync(path, "w");
  for (const bytes of [1_048_576, 4_096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(bytes));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
  closeSync(file);
  return () => rmSync(path, { force: true });
}

async function runAs(url: string, statements: readonly string[]): Promise<void> {
  const client = createClient({ url, name: "tripe_test" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
