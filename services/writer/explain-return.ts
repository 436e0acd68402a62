import { Code } from "@connectrpc/connect";
import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Return } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { BeginReturnRequest } from "../../gen/tripe/writer/v1/returns_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type AttemptRow, attemptOf, traceColumns } from "../_database/rows/attempt.ts";
import { type ReturnRow, returnColumns, returnOf } from "../_database/rows/return.ts";
import { refuse } from "../_runtime/errors.ts";
import { findStored, type WriterDependencies, waitForAnswer } from "./answers.ts";
import { endingsOf } from "./hold-endings.ts";
import { nounOf } from "./snapshots.ts";

/** A return, begun; without an attempt when an equal request had begun it. */
export interface BegunReturn {
  readonly record: Return;
  readonly attempt?: Attempt;
}

/** The columns of an attempt that a return's do not hold, from `attempt t` and `payment_method p`. */
export const besideReturn = `t.account_id, t.attempt_id, t.kind, t.payment_method_id, t.bank_ref, t.original_bank_ref,
  t.fence, t.tries, t.bank, t.lease_end_time, t.is_automatic, t.state = 'given_up' as is_given_up, p.sealed_card,
  ${traceColumns}`;

const LOOK = {
  name: "look_at_return",
  text: `select ${returnColumns}, ${besideReturn},
      t.lease_end_time is not null and t.lease_end_time > statement_timestamp() as is_running
    from charge_return r join account a using (account_id)
    left join attempt t on t.account_id = r.account_id and t.return_id = r.return_id and t.outcome is null
    left join payment_method p on p.account_id = t.account_id and p.payment_method_id = t.payment_method_id
    where r.account_id = $1 and r.return_id = $2`,
};

type LookRow = ReturnRow & AttemptRow & { readonly is_running: boolean };

/** Says why a return was not begun: an equal request had begun it (its return is the answer), or a refusal. */
export async function explainReturn(
  { database, clock }: WriterDependencies,
  request: BeginReturnRequest,
): Promise<BegunReturn> {
  const stored = await findStored(database.query, request);
  if (stored === undefined) return refuseToBegin(database.query, request);
  return waitForAnswer(clock, async () => {
    const now = await findStored(database.query, request);
    if (now?.answer !== undefined) return { record: nounOf(now.answer, "return") };
    const [row] = await database.query<LookRow>(LOOK, [request.accountId, stored.nounId]);
    if (row === undefined) return undefined;
    // The caller's own (as in explain-charge.ts).
    const isOwn = row.attempt_id === request.attemptId && row.is_running && row.tries === 0;
    if (isOwn) return { record: returnOf(row), attempt: attemptOf(row) };
    return row.is_running ? undefined : { record: returnOf(row) };
  });
}

const WHY = {
  name: "why_no_return",
  text: `select c.state, c.amount_minor, c.captured_minor, c.returned_minor, c.release_time is not null as is_released,
      c.is_held and c.captured_minor = 0 as is_hold, exists (${endingsOf("c")}) as is_ending
    from charge c where c.account_id = $1 and c.charge_id = $2`,
};

interface WhyRow {
  readonly state: string;
  readonly captured_minor: bigint;
  readonly returned_minor: bigint;
  readonly amount_minor: bigint;
  readonly is_hold: boolean;
  readonly is_released: boolean;
  readonly is_ending: boolean;
}

async function refuseToBegin(query: Query, { accountId, chargeId, amountMinor }: BeginReturnRequest): Promise<never> {
  const [why] = await query<WhyRow>(WHY, [accountId, chargeId]);
  if (why === undefined) refuse(Code.NotFound, "CHARGE_NOT_FOUND", `no charge ${chargeId}`, "charge_id");
  const no = (reason: string, message: string, field: string) =>
    refuse(Code.FailedPrecondition, reason, message, field);
  if (why.state !== "succeeded") {
    return no("CHARGE_NOT_SUCCEEDED", `the charge ${chargeId} has not succeeded`, "charge_id");
  }
  const leftMinor = why.is_hold ? why.amount_minor : why.captured_minor - why.returned_minor;
  if (leftMinor === 0n || why.is_released)
    return no("CHARGE_ALREADY_RETURNED", `the charge ${chargeId} was returned already`, "charge_id");
  if (amountMinor > leftMinor) {
    return no("RETURN_EXCEEDS_CHARGE", `${leftMinor} is left of ${chargeId}`, "amount_minor");
  }
  if (why.is_hold && !why.is_ending && amountMinor !== 0n && amountMinor !== leftMinor) {
    return no("HOLD_NOT_DIVISIBLE", `the charge ${chargeId} is only held: it is let go whole`, "amount_minor");
  }
  // A capture or another release is at the bank, or between the two statements a return failed and gave its amount back: the same request may now succeed.
  return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${chargeId} keeps changing`);
}
