import { connectDatabase, type Database, type Query, type Statement } from "../../../services/_database/connect.ts";
import { createClient } from "../../../services/_database/connect-client.ts";
import { createKysely } from "../../../services/_database/connect-kysely.ts";
import { silentLog } from "../../../services/_runtime/log.ts";
import type { Fate, Life } from "./fate.ts";

/** The urls of the database that simulations run on, one after the other. */
export interface SimulationUrls {
  readonly owner: string;
  readonly reader: string;
  readonly writer: string;
  readonly audit: string;
}

/** A real Postgres that lives in the simulation's time. */
export interface SimulatedDatabase {
  /** Forgets all that a run has left, and begins a new one with an account. */
  begin(fate: Fate, accountId: string): Promise<void>;
  /** What a life of the reader or the writer runs its statements on: each waits for its turn, a transaction for one turn. */
  connect(role: "reader" | "writer", life: Life): Database;
  /** The rows of a statement run by the owner, at once. */
  rows<Row>(text: string, ...values: unknown[]): Promise<Row[]>;
  readonly auditUrl: string;
  close(): Promise<void>;
}

// Postgres is asked for the time by two names (services/_tidy/sql.ts): both are found here before pg_catalog's own.
const TIME = `
  create schema sim;
  create table sim.instant (moment timestamptz not null) with (autovacuum_enabled = false);
  insert into sim.instant values ('2026-01-01');
  create function sim.now() returns timestamptz language sql stable as 'select moment from sim.instant';
  create function sim.statement_timestamp() returns timestamptz language sql stable as 'select moment from sim.instant';
  grant usage on schema sim to public;
  grant select on sim.instant to public`;

/** The tables that runs write to; a run that writes to another finds the row of the one before, and differs. */
const WRITTEN = ["account", "alert", "attempt", "charge", "charge_return", "customer", "event", "idempotency"]
  .concat(["ledger_entry", "ledger_transfer", "payment_method", "token"])
  .map((name) => `tripe.${name}`);

/** Opens a database whose every migration has run, and gives it the simulation's time. */
export async function openSimulatedDatabase(urls: SimulationUrls): Promise<SimulatedDatabase> {
  const owner = createClient({ url: urls.owner, name: "tripe_simulation" });
  owner.on("error", () => undefined);
  await owner.connect();
  await owner.query(TIME);
  // Rows are found in the order in which they were written: no statistics that change plans, and nobody tidies up.
  for (const name of WRITTEN) await owner.query(`alter table ${name} set (autovacuum_enabled = false)`);
  // Tables that no run writes to would have to be emptied with those they point to.
  const { rows } = await owner.query<{ place: string; name: string }>(
    `select conrelid::regclass::text as place, quote_ident(conname) as name from pg_constraint
      where contype = 'f' and confrelid = any($1::regclass[]) and not conrelid = any($1::regclass[])`,
    [WRITTEN],
  );
  for (const { place, name } of rows) await owner.query(`alter table ${place} drop constraint ${name}`);
  // What is append-only is emptied too; triggers of this connection alone are off.
  await owner.query("set session_replication_role = replica");
  const connect = (url: string, role: string) =>
    connectDatabase({ url: inSimulatedTime(url), role, connectionsMax: 2, log: silentLog });
  const real = { reader: connect(urls.reader, "reader"), writer: connect(urls.writer, "writer") };
  let fate: Fate | undefined;
  let shownMs = 0;
  const showTime = async () => {
    const nowMs = fate?.nowMs() ?? 0;
    if (nowMs === shownMs) return;
    shownMs = nowMs;
    await owner.query("update sim.instant set moment = $1", [new Date(nowMs)]);
  };
  const turn = <Value>(life: Life, what: string, work: () => Promise<Value>): Promise<Value> => {
    if (fate === undefined) throw new Error("no simulation runs on this database");
    return fate.turn(life, what, async () => {
      await showTime();
      return work();
    });
  };
  return {
    auditUrl: inSimulatedTime(urls.audit),
    rows: async <Row>(text: string, ...values: unknown[]) => (await owner.query(text, values)).rows as Row[],
    async begin(begun, accountId) {
      fate = begun;
      await owner.query(`truncate ${WRITTEN.join(", ")}, sim.instant; insert into sim.instant values ('2026-01-01')`);
      shownMs = 0;
      await showTime();
      await owner.query(
        `insert into account (account_id, is_live, name, email, address, default_currency_code, create_time)
          values ($1, false, 'Simulated', '', '', 'USD', $2)`,
        [accountId, new Date(begun.nowMs())],
      );
    },
    connect(role, life) {
      const query: Query = (statement, values) =>
        turn(life, describe(statement, values), () => real[role].query(statement, values));
      const run = async <Row>(statement: Statement, values: readonly unknown[]) => {
        const found = await query<Row>(statement, values);
        return { rows: found, rowCount: found.length };
      };
      return {
        ...real[role],
        query,
        kysely: createKysely(run),
        transaction: (work) => turn(life, "sql transaction", () => real[role].transaction(work)),
      };
    },
    async close() {
      await Promise.all([real.reader.close(), real.writer.close(), owner.end()]);
    },
  };
}

function inSimulatedTime(url: string): string {
  const changed = new URL(url);
  // Postgres plans the first five runs of a statement by their values: the order of rows would depend on what ran before.
  changed.searchParams.set(
    "options",
    "-c search_path=sim,pg_catalog,tripe,public -c plan_cache_mode=force_generic_plan",
  );
  return changed.href;
}

/** So many ids of a statement's values say whom it is about. */
const IDS_MAX = 4;

function describe({ name, text }: Statement, values: readonly unknown[]): string {
  const isId = (value: unknown) => typeof value === "string" && /^(att|ch|re|key)_/.test(value);
  const ids = values.flat().filter(isId).slice(0, IDS_MAX);
  return ["sql", name === "" ? text.trim().split(/\s+/).slice(0, 3).join(" ") : name, ...ids].join(" ");
}
