import { DatabaseError } from "pg";
import { connectOwner } from "../_database/connect-owner.ts";
import type { Clock } from "../_runtime/clock.ts";
import { BackupRefusal } from "./refusal.ts";

/** A charge that waits for the lock waits for so long at most: the roles give up a lock after about a second. */
const LOCK_WAIT_MS = 300;

/** Some minute of tries: a vacuum or a long statement is over by then. */
const TRIES_MAX = 60;

/** How long charges that were held up are let through before the next try. */
const PAUSE_MS = 700;

/**
 * Does some short work while no attempt begins or ends: what the bank has on its books then belongs to attempts that the database has, and
 * what the database has settled is on the bank's books. Charges wait meanwhile; none is refused.
 */
export async function atQuietMoment<Answer>(
  { ownerUrl, clock }: { ownerUrl: string; clock: Clock },
  work: () => Promise<Answer>,
): Promise<Answer> {
  const client = await connectOwner(ownerUrl, "tripe_backup_lock");
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        await client.query(
          `begin; set local lock_timeout = '${LOCK_WAIT_MS}ms'; lock table tripe.attempt in share row exclusive mode`,
        );
        break;
      } catch (error) {
        await client.query("rollback");
        if (!(error instanceof DatabaseError) || error.code !== "55P03") throw error;
        if (tries === TRIES_MAX) throw new BackupRefusal("the database is too busy for a backup just now: try again");
        await clock.sleep(PAUSE_MS);
      }
    }
    const answer = await work();
    await client.query("commit");
    return answer;
  } finally {
    await client.end();
  }
}
