import { existsSync, readdirSync } from "node:fs";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, vi } from "vitest";
import { createMemoryFolder } from "../../_runtime/testing/memory-folder.ts";
import { connectOwner } from "../connect-owner.ts";
import { type Binaries, chooseRunner, run, waitForExit } from "../embedded-runner.ts";
import { testSettings } from "../embedded-settings.ts";
import { startTestingGuard } from "../start-testing-guard.ts";

/** Where Debian and Ubuntu install Postgres, each major version beside the others. */
const ROOT = "/usr/lib/postgresql";

/** Where Debian installs pgbouncer. */
const PGBOUNCER = "/usr/sbin/pgbouncer";

/** The oldest Postgres of the machine's own packages; undefined where there is none. */
export const systemMajor: number | undefined = existsSync(ROOT)
  ? readdirSync(ROOT)
      .filter((name) => existsSync(join(ROOT, name, "bin", "initdb")))
      .map(Number)
      .sort((a, b) => a - b)[0]
  : undefined;

/** Whether the machine has pgbouncer. */
export const hasPooler: boolean = existsSync(PGBOUNCER);

/** A server such as an administrator runs: its superuser is `admin`. */
export interface SystemServer {
  readonly port: number;
  /** The folder of its socket. */
  readonly folder: string;
  /** The url of a user; the user's name is the password too. */
  urlOf(user: string, database: string): string;
  /** Runs statements as the superuser. */
  asAdmin(text: string, database?: string): Promise<void>;
  /** Starts pgbouncer before the server, with these settings, and returns its port. */
  startPooler(settings: Readonly<Record<string, string>>, entry?: string): Promise<number>;
}

/** Starts the machine's own Postgres over a folder in memory, on loopback; it ends with the file's tests. */
export async function startSystemPostgres(
  settings: Readonly<Record<string, string>> = {},
  { isStandby = false } = {},
): Promise<SystemServer> {
  const bin = join(ROOT, String(systemMajor), "bin");
  const [initdb, pg_ctl, postgres] = [join(bin, "initdb"), join(bin, "pg_ctl"), join(bin, "postgres")];
  const binaries: Binaries = { initdb, pg_ctl, postgres };
  const parent = await createMemoryFolder("tripe-system-");
  const guard = startTestingGuard(parent);
  afterAll(() => guard.end());
  const folder = join(parent, "postgres");
  await mkdir(folder, { mode: 0o700 });
  const runner = chooseRunner(binaries, folder);
  const own = async (path: string) => {
    const { uid, gid } = runner.ids;
    if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
  };
  const password = join(parent, "password");
  await writeFile(password, "admin", { mode: 0o600 });
  await Promise.all([own(parent), own(folder), own(password)]);
  const start = (command: readonly string[]) => run(runner, command, { cwd: parent, output: "ignore", detached: true });
  const init = [initdb, "-D", folder, "-U", "admin", `--pwfile=${password}`, "--auth=scram-sha-256", "--no-sync"];
  const code = await waitForExit(start([...init, "--encoding=UTF8", "--locale=C"]));
  if (code !== 0) throw new Error(`initdb of Postgres ${systemMajor} ended with ${code}`);
  if (isStandby) await writeFile(join(folder, "standby.signal"), "");
  const port = await findPort();
  const all = { ...testSettings, listen_addresses: "127.0.0.1", unix_socket_directories: folder, ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  guard.watch(start([postgres, "-D", folder, "-p", String(port), ...flags]).pid ?? 0);
  const urlAt = (at: number, user: string, database: string) =>
    `postgres://${user}:${user}@127.0.0.1:${at}/${database}?sslmode=disable`;
  const asAdmin = async (text: string, database = "postgres") => {
    const client = await connectOwner(urlAt(port, "admin", database), "tripe_test");
    await client.query(text).finally(() => client.end());
  };
  await vi.waitFor(() => asAdmin("select 1"), { timeout: 30_000, interval: 50 });
  return {
    port,
    folder,
    urlOf: (user, database) => urlAt(port, user, database),
    asAdmin,
    startPooler: async (given, entry = "") => {
      const at = await findPort();
      const file = join(parent, `${at}.ini`);
      const users = join(parent, `${at}.txt`);
      const lines = Object.entries({ ...poolerSettings, listen_port: at, auth_file: users, ...given });
      const words = lines.map(([name, value]) => `${name} = ${value}`).join("\n");
      await writeFile(users, '"admin" "admin"\n"merchant" "merchant"\n');
      await writeFile(file, `[databases]\n* = host=127.0.0.1 port=${port} ${entry}\n[pgbouncer]\n${words}\n`);
      await Promise.all([own(file), own(users)]);
      guard.watch(start([PGBOUNCER, "-q", file]).pid ?? 0);
      const look = async () => {
        const client = await connectOwner(urlAt(at, "merchant", "postgres"), "tripe_test");
        await client.end();
      };
      await vi.waitFor(look, { timeout: 30_000, interval: 50 });
      return at;
    },
  };
}

/** How pgbouncer is set up to let in whom Postgres knows; what is refused is said at once. */
const poolerSettings = {
  listen_addr: "127.0.0.1",
  unix_socket_dir: "",
  auth_type: "scram-sha-256",
  auth_user: "admin",
  auth_query: "select usename, passwd from pg_shadow where usename = $1",
  query_wait_timeout: "5",
};

function findPort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
