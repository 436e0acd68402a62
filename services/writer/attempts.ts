import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { LeaseAttemptsRequest, PostponeAttemptRequest } from "../../gen/tripe/writer/v1/attempts_pb.ts";
import { type AttemptRow, attemptColumns, attemptOf } from "../_database/rows/attempt.ts";
import { raiseAlertOnce } from "./alerts.ts";
import type { WriterDependencies } from "./answers.ts";
import { LEASE_MS } from "./lease.ts";
import { tellPending } from "./tell-pending.ts";

/** Leases and due times are the machine's time, not business time: a moved test clock wakes no resolver. */
const LEASE = {
  name: "lease_attempts",
  text: `with due as (
      select account_id, attempt_id from attempt
      where resolve_time <= statement_timestamp()
      order by resolve_time limit $1 for no key update skip locked
    ), leased as (
      update attempt t set fence = t.fence + 1, tries = t.tries + 1,
        lease_end_time = statement_timestamp() + ${LEASE_MS} * interval '1 ms',
        resolve_time = statement_timestamp() + ${LEASE_MS} * interval '1 ms'
      from due where t.account_id = due.account_id and t.attempt_id = due.attempt_id
      returning t.*
    )
    select ${attemptColumns} from leased t join payment_method p using (account_id, payment_method_id)`,
};

const POSTPONE = {
  name: "postpone_attempt",
  text: `update attempt set lease_end_time = null, resolve_time = statement_timestamp() + $4 * interval '1 ms',
      bank = case when $5 = '' then bank else $5 end
    where account_id = $1 and attempt_id = $2 and fence = $3 and outcome is null
    returning tell_time is null and not is_automatic and state = 'pending'
      and (return_id is not null or kind in ('purchase', 'authorize')) as is_untold`,
};

/** Takes up attempts that are due, the longest due first; those another resolver is taking up are passed over. */
export async function leaseAttempts(
  { database }: WriterDependencies,
  { limit }: LeaseAttemptsRequest,
): Promise<{ attempts: Attempt[] }> {
  const rows = await database.query<AttemptRow>(LEASE, [limit]);
  return { attempts: rows.map(attemptOf) };
}

/**
 * Ends a lease and says when the attempt is due again. Changes nothing for a fence that is not the newest. The first time, its
 * charge or return is told of as pending. With a reason an alert is raised, unless one is open.
 */
export async function postponeAttempt(
  { database }: WriterDependencies,
  { accountId, attemptId, fence, delayMs, bank, alertReason }: PostponeAttemptRequest,
): Promise<{ isPostponed: boolean }> {
  const [row] = await database.query<{ is_untold: boolean }>(POSTPONE, [accountId, attemptId, fence, delayMs, bank]);
  if (row !== undefined && alertReason !== "") {
    await raiseAlertOnce(database.query, { accountId, reason: alertReason, objectId: attemptId, details: {} });
  }
  if (row?.is_untold === true) await tellPending(database.query, { accountId, attemptId });
  return { isPostponed: row !== undefined };
}
