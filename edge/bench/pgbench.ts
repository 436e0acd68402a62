import { execFile } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../services/_runtime/clock.ts";
import { createEnvironment } from "../../services/_runtime/config.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { createYardstick, dropYardstick, SCHEMA } from "./pgbench-schema.ts";
import { createScript, type ScriptOptions } from "./pgbench-script.ts";

const run = promisify(execFile);

/** Where Debian's packages put the programs of each major version. */
const DEBIAN = "/usr/lib/postgresql";

/** What to do where there is none. */
export const HOW_TO_GET =
  "pgbench is not installed: on Debian and Ubuntu `apt-get install postgresql` has it (no cluster is needed), elsewhere Postgres' own packages do";

/** Half of the machine's clients wait for each other at 16, and the flushes are shared best at 64: the better one counts. */
const CLIENTS = [16, 64] as const;

/** The yardstick: `pgbench` over tables of its own in the database of a Tripe. */
export interface Yardstick {
  /** Charges a second, the best of 16 and 64 clients, each for so many seconds. */
  measure(seconds: number): Promise<number>;
  remove(): Promise<void>;
}

/** Makes the yardstick in a running Tripe that has 100 customers with cards, and charges. Rejects in words without pgbench. */
export async function createPgbench(tripe: MeasuredTripe): Promise<Yardstick> {
  const program = await findPgbench();
  if (program === undefined) throw new Error(HOW_TO_GET);
  const options = await tripe.asOwner(async (client) => {
    await createYardstick(client);
    return readOptions(client);
  });
  const file = join(tripe.dataDir, "charge.pgbench.sql");
  await writeFile(file, createScript(options));
  const url = new URL(await tripe.roleUrl("owner"));
  const env = createEnvironment({ PGPASSWORD: decodeURIComponent(url.password) });
  const place = ["-h", url.searchParams.get("host") ?? url.hostname, "-p", url.port, "-U", url.username];
  return {
    async measure(seconds) {
      const rates: number[] = [];
      for (const clients of CLIENTS) {
        const words = [...place, "-n", "-M", "prepared", "-f", file, "-T", String(seconds), "-c", String(clients)];
        const threads = ["-j", String(Math.min(clients, availableParallelism()))];
        const variables = ["-D", `base=${systemClock.nowMs()}`, "-D", "count=0"];
        const { stdout, stderr } = await run(program, [...words, ...threads, ...variables, url.pathname.slice(1)], {
          env,
        });
        rates.push(parseRate(`${stdout}${stderr}`));
      }
      return Math.max(...rates);
    },
    remove: () => tripe.asOwner(dropYardstick),
  };
}

/** The rate in pgbench's words; rejects when it says that anything failed. */
export function parseRate(words: string): number {
  const [, rate] = /^tps = ([\d.]+)/m.exec(words) ?? [];
  if (rate === undefined || /aborted|number of failed transactions: [1-9]/.test(words)) {
    throw new Error(`pgbench failed: ${words}`);
  }
  return Number(rate);
}

/** The newest pgbench of the machine. */
export async function findPgbench(): Promise<string | undefined> {
  const versions = (await readdir(DEBIAN).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  for (const program of [...versions.map((version) => join(DEBIAN, version, "bin", "pgbench")), "pgbench"]) {
    const isThere = await run(program, ["--version"]).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  return undefined;
}

interface Queryable {
  query<Row extends object>(text: string): Promise<{ readonly rows: Row[] }>;
}

/** As Tripe's own charges are at the moment. */
async function readOptions(client: Queryable): Promise<ScriptOptions> {
  const { rows } = await client.query<{ bytes: number; dispatched: boolean }>(
    // Marked as dispatched by the commit that wrote it, or later by a sweep: a charge here has no endpoint and no mail.
    `select length(snapshot) as bytes, xmax = '0' and dispatch_time is not null as dispatched from tripe.event
      where type = 'charge.succeeded' order by create_time desc limit 1`,
  );
  const accounts = await client.query<{ account_id: string }>(`select account_id from ${SCHEMA}.account`);
  const [row] = rows;
  const accountId = accounts.rows[0]?.account_id;
  if (row === undefined || accountId === undefined) throw new Error("the yardstick is made after some charges");
  return { accountId, snapshotBytes: row.bytes, isDispatched: row.dispatched };
}
