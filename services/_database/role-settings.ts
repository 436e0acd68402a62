import type { Client } from "pg";
import type { RoleName } from "./role-names.ts";

/** The settings of 7-reliability.md: a statement, an idle transaction that holds locks. */
const limits = { statement_timeout: "5s", idle_in_transaction_session_timeout: "5s" };

/** A wait for a lock (7-reliability.md), where the server finds a deadlock sooner than that. */
const lockTimeoutMs = 1_000;

/** How much later a wait for a lock ends than a deadlock is found: its victim is retried, a wait that ended is not. */
const deadlockMarginMs = 500;

/**
 * Every statement of reader and writer finds its rows by a key. Without this, plans made while a fresh Tripe's tables are
 * empty read whole tables, and a prepared statement keeps its plan until statistics say otherwise.
 */
const byKey = { enable_seqscan: "off" };

/**
 * The writer's statements are large and find their rows by keys, however many: one plan serves all. Left to itself Postgres plans a
 * batch of one anew each time, since it takes a batch of unknown size for ten: that took two thirds of its time for a charge. The
 * reader's lists are planned for their filters.
 */
const plannedOnce = { plan_cache_mode: "force_generic_plan" };

/**
 * What a server, a database or an administrator may have set otherwise for all: each is what Postgres has by default, but for
 * `jit`. Statements are small and many, and with `enable_seqscan` off a plan that must read a table costs so much on paper
 * that every run of it would be compiled.
 */
const plain = {
  timezone: "UTC",
  datestyle: "ISO, MDY",
  intervalstyle: "postgres",
  bytea_output: "hex",
  default_transaction_isolation: "read committed",
  default_transaction_read_only: "off",
  default_transaction_deferrable: "off",
  idle_session_timeout: "0",
  jit: "off",
  plan_cache_mode: "auto",
  max_parallel_workers_per_gather: "0",
};

const noLimits = { statement_timeout: "0", lock_timeout: "0", idle_in_transaction_session_timeout: "0" };

/** The settings each connection of a role begins with. */
const settings: Readonly<Record<RoleName, Readonly<Record<string, string>>>> = {
  reader: { ...plain, ...limits, ...byKey, search_path: "tripe", default_transaction_read_only: "on" },
  writer: { ...plain, ...limits, ...byKey, ...plannedOnce, search_path: "tripe" },
  // The audit reads everything at once, and its proof may take long.
  audit: { ...plain, ...noLimits, search_path: "tripe", default_transaction_read_only: "on" },
};

/** Says with which settings the connections of a role begin on this server. */
export async function readRoleSettings(client: Client, role: RoleName): Promise<Readonly<Record<string, string>>> {
  const { rows } = await client.query<{ deadlock_ms: number; is_async: boolean; version: number }>(
    `select (extract(epoch from current_setting('deadlock_timeout')::interval) * 1000)::int as deadlock_ms,
      current_setting('synchronous_commit') = 'off' as is_async, current_setting('server_version_num')::int as version`,
  );
  const { deadlock_ms: deadlockMs = 0, is_async: isAsync = false, version = 0 } = rows[0] ?? {};
  const isLimited = role === "reader" || role === "writer";
  const lockMs = deadlockMs < lockTimeoutMs ? lockTimeoutMs : deadlockMs + deadlockMarginMs;
  return {
    ...settings[role],
    ...(isLimited && { lock_timeout: `${lockMs}ms` }),
    // Since Postgres 17, and as good as the limits above.
    ...(version >= 170_000 && { transaction_timeout: "0" }),
    // An acknowledged charge is on disk, whatever the database's other users may lose.
    ...(isAsync && { synchronous_commit: "on" }),
  };
}
