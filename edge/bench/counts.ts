import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../services/_runtime/clock.ts";
import { loadWith, warmUp } from "./closed-load.ts";
import { type Figure, figureOf } from "./figure.ts";
import type { Measure, MeasureContext } from "./measure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { chargesOf, createMerchant, type Merchant, post } from "./stored-customers.ts";

/** Charges that are counted, one in flight. */
const CHARGES = 200;
/** What is not called in at least half of the charges is a sweep's. */
const SHARE_MIN = 0.5;
/** The log of the last calls is on disk by then. */
const LOG_WAIT_MS = 3_000;

/** P3: commits, statements and remote calls of a charge, counted and not timed: the same on any machine. */
export const counts: Measure = {
  row: "P3",
  sentence: `counted over ${CHARGES} charges on a customer's stored card, one in flight; commits at 128 in flight too`,
  wirings: ["processes", "one"],
  run: (context, wiring) => context.onTripe(wiring, (tripe) => measure(context, tripe)),
};

async function measure(context: MeasureContext, tripe: MeasuredTripe): Promise<Figure[]> {
  const { wiring } = tripe;
  const merchant = await createMerchant(tripe.port, CUSTOMERS);
  await chargeTimes(tripe, merchant, 20);
  await systemClock.sleep(LOG_WAIT_MS);
  const rpcsBefore = await countRpcs(tripe);
  await resetStatements(tripe);
  await chargeTimes(tripe, merchant, CHARGES);
  const statements = await readStatements(tripe);
  await systemClock.sleep(LOG_WAIT_MS);
  const rpcs = [...(await countRpcs(tripe))].map(([rpc, count]) => ({
    rpc,
    calls: count - (rpcsBefore.get(rpc) ?? 0),
  }));
  const isOfCharge = ({ calls }: { calls: number }) => calls >= CHARGES * SHARE_MIN;
  const found = { statements: statements.filter(isOfCharge), rpcs: rpcs.filter(isOfCharge) };
  const each = (rows: readonly { calls: number }[]) => rows.reduce((sum, { calls }) => sum + calls, 0) / CHARGES;
  const remote = found.rpcs.filter(({ rpc }) => !/GetStatus|CheckDatabase|Check$/.test(rpc));
  context.note(`${wiring}: remote calls of a charge: ${remote.map(({ rpc }) => rpc).join(", ")}`);
  const figures = [
    { part: "commits of the writer", value: each(found.statements.filter(isCommit)), goal: 2 },
    {
      part: "statements of reader and writer",
      value: each(found.statements.filter((row) => !isControl(row))),
      goal: 4,
    },
    { part: "remote calls", value: each(remote), goal: 5 },
    { part: "commits at 128 in flight", value: await commitsUnderLoad(context, tripe, merchant), goal: 0.1 },
  ];
  return figures.map((figure) => figureOf({ measure: "P3", wiring, bound: "most", ...figure }));
}

async function chargeTimes({ port }: MeasuredTripe, { key, customerIds }: Merchant, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    await post(port, key, "/v1/charges", { amount: "2000", currency: "usd", customer: customerIds[0] ?? "" });
  }
}

interface StatementRow {
  readonly role: string;
  readonly query: string;
  readonly calls: number;
}

/** A statement that writes is a commit of its own, since the writer's transactions of several end with COMMIT. */
function isCommit({ role, query }: StatementRow): boolean {
  if (role !== "tripe_writer") return false;
  return /^\s*commit\b/i.test(query) || /\b(insert into|update \w+ \w+ set|delete from)\b/i.test(query);
}

function isControl({ query }: StatementRow): boolean {
  return /^\s*(begin|commit|rollback|start transaction)\b/i.test(query);
}

function resetStatements(tripe: MeasuredTripe): Promise<unknown> {
  return tripe.asOwner((client) => client.query("select pg_stat_statements_reset()"));
}

/** Statements of the reader's and writer's roles since the last reset, without the foreign keys' own. */
function readStatements(tripe: MeasuredTripe): Promise<StatementRow[]> {
  return tripe.asOwner(async (client) => {
    const { rows } = await client.query<StatementRow>(
      `select regexp_replace(rolname, '_[0-9]+$', '') as role, query, sum(calls)::int as calls
        from pg_stat_statements join pg_roles r on r.oid = userid
        where rolname ~ '^tripe_(reader|writer)_' and query not ilike '%for key share of x%'
        group by 1, 2`,
    );
    return rows;
  });
}

/** Lines of the services' logs that are an rpc's, by its name. */
async function countRpcs({ dataDir }: MeasuredTripe): Promise<Map<string, number>> {
  const counted = new Map<string, number>();
  const folder = join(dataDir, "logs");
  for (const file of await readdir(folder)) {
    for (const [, service, rpc] of (await readFile(join(folder, file), "utf8")).matchAll(
      /"caller":"\w+","service":"(\w+)","rpc":"(\w+)"/g,
    )) {
      const name = `${service}.${rpc}`;
      counted.set(name, (counted.get(name) ?? 0) + 1);
    }
  }
  return counted;
}

/** Transactions of any role that wrote, for each charge of the closed model. */
async function commitsUnderLoad(context: MeasureContext, tripe: MeasuredTripe, merchant: Merchant): Promise<number> {
  await warmUp(context, tripe, chargesOf(merchant));
  const marks: number[] = [];
  const mark = async () => void marks.push(await readTransactions(tripe));
  const run = await loadWith(context, tripe, chargesOf(merchant), { onMeasuring: mark, onMeasured: mark });
  const [first = 0, last = 0] = marks;
  return (last - first) / run.okCount;
}

/** How many transactions have ever written: reading takes no number. */
function readTransactions(tripe: MeasuredTripe): Promise<number> {
  return tripe.asOwner(async (client) => {
    const { rows } = await client.query<{ next: string }>(
      "select pg_snapshot_xmax(pg_current_snapshot())::text as next",
    );
    return Number(rows[0]?.next);
  });
}
