import { Code } from "@connectrpc/connect";
import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Decline } from "../../gen/tripe/billing/v1/decline_pb.ts";
import type { BeginCaptureRequest } from "../../gen/tripe/writer/v1/captures_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type AttemptRow, attemptOf } from "../_database/rows/attempt.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { declineOf } from "../_database/rows/fields.ts";
import { currencies } from "../_runtime/currency.ts";
import { refuse } from "../_runtime/errors.ts";
import { findStored, type WriterDependencies, waitForAnswer } from "./answers.ts";
import { isTooSmall } from "./capture-minimum.ts";
import { besideCharge } from "./explain-charge.ts";
import { endingsOf } from "./hold-endings.ts";
import { nounOf } from "./snapshots.ts";

/** A capture, begun; without an attempt when an equal request had begun it, with a decline when that had failed. */
export interface BegunCapture {
  readonly charge: Charge;
  readonly attempt?: Attempt;
  readonly decline?: Decline;
}

/** A charge with the attempt that captures it. */
export type CapturingRow = ChargeRow & AttemptRow & { readonly attempt_minor: bigint };

/** The charge and the attempt of a row: the attempt's amount is what is captured. */
export function capturingOf(row: CapturingRow): { charge: Charge; attempt: Attempt } {
  return { charge: chargeOf(row), attempt: attemptOf({ ...row, amount_minor: row.attempt_minor }) };
}

const LOOK = {
  name: "look_at_capture",
  text: `select ${chargeColumns}, ${besideCharge}, t.amount_minor as attempt_minor, t.outcome,
      t.decline_reason as attempt_decline_reason, t.response_code as attempt_response_code,
      t.lease_end_time is not null and t.lease_end_time > statement_timestamp() as is_running
    from attempt t join charge c on c.account_id = t.account_id and c.charge_id = t.charge_id ${chargeJoins}
    where t.account_id = $1 and t.request_id = $2`,
};

type LookRow = CapturingRow & {
  readonly outcome: string | null;
  readonly attempt_decline_reason: string | null;
  readonly attempt_response_code: string | null;
  readonly is_running: boolean;
};

/**
 * Says why a capture was not begun: an equal request had begun it (its charge is the answer), or a refusal. Undefined
 * while something else may be ending the hold: it is then to be tried again, or, at the last, refused with CHARGE_CHANGING.
 */
export async function explainCapture(
  { database, clock }: WriterDependencies,
  request: BeginCaptureRequest,
  isLast: boolean,
): Promise<BegunCapture | undefined> {
  const stored = await findStored(database.query, request);
  if (stored === undefined) return judgeHold(database.query, request, isLast);
  return waitForAnswer(clock, async () => {
    const now = await findStored(database.query, request);
    const [row] = await database.query<LookRow>(LOOK, [request.accountId, request.requestId]);
    if (row === undefined) return undefined;
    const decline = declineOf(row.attempt_decline_reason, row.attempt_response_code);
    const failure = decline === undefined ? {} : { decline };
    if (now?.answer !== undefined) return { charge: nounOf(now.answer, "charge"), ...failure };
    // The caller's own (as in explain-charge.ts).
    const isOwn = row.attempt_id === request.attemptId && row.is_running && row.tries === 0;
    if (isOwn) return capturingOf(row);
    return row.is_running ? undefined : { charge: chargeOf(row), ...failure };
  });
}

const stepped = currencies.filter(({ stepMinor }) => stepMinor > 1n);
const STEPS = stepped.map(({ code, stepMinor }) => `when '${code}' then ${stepMinor}`).join(" ");

/**
 * Whether an amount is no multiple of the least that its charge's currency is charged by, in SQL. All that is held may be
 * taken, whatever it is: it was held when the currency had another step.
 */
export function isUneven(amountMinor: string): string {
  return `${amountMinor} % (case c.currency_code ${STEPS} else 1 end) <> 0 and ${amountMinor} <> c.amount_minor`;
}

const WHY = {
  name: "why_no_capture",
  text: `select c.state, c.currency_code, ${isTooSmall("$3::bigint")} as is_too_small, c.amount_minor, c.captured_minor, c.release_time is not null as is_released,
      ${isUneven("$3::bigint")} as is_uneven, c.capture_before_time <= business_now(c.account_id, c.customer_id) as is_over, exists (${endingsOf("c")}) as is_ending,
      exists (select from charge_return r where r.account_id = c.account_id and r.charge_id = c.charge_id
        and r.is_release and r.state = 'succeeded') as is_returned
    from charge c where c.account_id = $1 and c.charge_id = $2`,
};

interface WhyRow {
  readonly state: string;
  readonly amount_minor: bigint;
  readonly captured_minor: bigint;
  readonly is_released: boolean;
  readonly is_uneven: boolean;
  readonly currency_code: string;
  readonly is_too_small: boolean;
  /** Null for a charge that is not held. */
  readonly is_over: boolean | null;
  readonly is_ending: boolean;
  readonly is_returned: boolean;
}

async function judgeHold(
  query: Query,
  { accountId, chargeId, amountMinor }: BeginCaptureRequest,
  isLast: boolean,
): Promise<undefined> {
  const [why] = await query<WhyRow>(WHY, [accountId, chargeId, amountMinor]);
  if (why === undefined) refuse(Code.NotFound, "CHARGE_NOT_FOUND", `no charge ${chargeId}`, "charge_id");
  const no = (reason: string, what: string, field = "charge_id") =>
    refuse(Code.FailedPrecondition, reason, `the charge ${chargeId} ${what}`, field);
  if (why.state !== "succeeded") no("CHARGE_NOT_CAPTURABLE", "has not succeeded");
  if (why.captured_minor > 0n) no("CHARGE_ALREADY_CAPTURED", "was captured already");
  if (why.is_returned) no("CHARGE_ALREADY_RETURNED", "was returned already");
  if (why.is_released || (why.is_over === true && !why.is_ending)) no("HOLD_EXPIRED", "is held no more");
  if (amountMinor > why.amount_minor) no("CAPTURE_EXCEEDS_HOLD", "is held for less", "amount_minor");
  if (why.is_uneven) no("CAPTURE_UNEVEN", "is in a currency without such parts", "amount_minor");
  if (why.is_too_small) no("CAPTURE_TOO_SMALL", "is captured with at least its currency's minimum", why.currency_code);
  // Something else ends it, or did so between the two statements and failed.
  if (isLast) refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${chargeId} keeps changing`);
  return undefined;
}
