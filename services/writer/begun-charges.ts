import type { AttemptRow } from "../_database/rows/attempt.ts";
import type { ChargeRow } from "../_database/rows/charge.ts";
import type { Clock } from "../_runtime/clock.ts";
import type { FeeRow } from "./fee.ts";
import { LEASE_MS } from "./lease.ts";
import type { SettlingRow } from "./settle-charge-sql.ts";

/** A charge as it was begun, with its attempt. */
export interface BegunRow extends ChargeRow, AttemptRow, FeeRow {
  /** False for a customer on a test clock, whose time does not pass by itself. */
  readonly is_in_real_time: boolean;
}

/** The charges that this process has begun and not yet settled. */
export interface BegunCharges {
  add(row: BegunRow): void;
  /** What the settlement of an attempt is made of, once; undefined when it has to be read. */
  take(attempt: { accountId: string; chargeId: string; attemptId: string }): SettlingRow | undefined;
}

/** As many as the edge has requests in progress, several times over; about 3 kB each. */
const COUNT_MAX = 2_000;

/**
 * Keeps begun charges while their bank is asked, so that a settlement by the process that began the charge reads nothing first.
 * A kept row is no proof: it is revision 1, and SETTLE changes a charge only while that is its revision and it is pending; if
 * not, the charge is read. The settlement's time is the creation time plus the time that passed on this process's clock.
 */
export function createBegunCharges(clock: Clock): BegunCharges {
  const kept = new Map<string, { readonly row: BegunRow; readonly sinceMs: number }>();
  return {
    add(row) {
      if (!row.is_in_real_time) return;
      kept.set(`${row.account_id} ${row.attempt_id}`, { row, sinceMs: clock.preciseMs() });
      const [oldest] = kept.size > COUNT_MAX ? kept.keys() : [];
      if (oldest !== undefined) kept.delete(oldest);
    },
    take({ accountId, chargeId, attemptId }) {
      const key = `${accountId} ${attemptId}`;
      const found = kept.get(key);
      kept.delete(key);
      if (found === undefined || found.row.charge_id !== chargeId) return undefined;
      const passedMs = Math.floor(clock.preciseMs() - found.sinceMs);
      // After its lease somebody else may have taken it up, and an account's settings may be other ones.
      if (passedMs > LEASE_MS) return undefined;
      const business_time = new Date(found.row.create_time.getTime() + passedMs);
      return { ...found.row, revision: 1, outcome: null, business_time };
    },
  };
}
