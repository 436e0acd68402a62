import { assert } from "../_runtime/errors.ts";

/** How many days pass after each failed attempt before the next, unless an account has set its own (4-billing.md). */
export const SCHEDULE_DAYS: readonly number[] = [1, 3, 7, 14];

/**
 * When an invoice that failed to be paid is tried again; undefined when it is not, because the schedule is used up or the
 * card will never be accepted. Days are 24 hours, counted from the failed attempt, as in Stripe's custom schedules
 * (docs.stripe.com/billing/revenue-recovery/smart-retries): 1, 3, 7 and 14 end 25 days after the first failure.
 *
 * `attemptCount` is how many attempts are stored, the failed one included: it is counted from the table, never from an
 * event, so that a redelivery gives the same answer. `declineReason` is the stored `Decline.reason`; empty or left out
 * when no bank declined. Throws at a count below 1, an invalid date or a schedule of other than whole days above zero.
 */
export function nextAttempt(failure: {
  readonly attemptCount: number;
  readonly failedAt: Date;
  readonly declineReason?: string | undefined;
  readonly scheduleDays?: readonly number[];
}): Date | undefined {
  const { attemptCount, failedAt, declineReason = "", scheduleDays = SCHEDULE_DAYS } = failure;
  assert(Number.isSafeInteger(attemptCount) && attemptCount >= 1, `${attemptCount} attempts cannot have failed`);
  assert(!Number.isNaN(failedAt.getTime()), "an invalid date");
  assert(scheduleDays.every(isWait), "a schedule of other than whole days");
  const days = scheduleDays[attemptCount - 1];
  if (days === undefined || isHardDecline(declineReason)) return undefined;
  return new Date(failedAt.getTime() + days * DAY_MS);
}

/** Says whether a decline is final for the card: another attempt with it cannot succeed, and card networks may fine it. */
export function isHardDecline(declineReason: string): boolean {
  return HARD_DECLINES.has(declineReason);
}

const DAY_MS = 86_400_000;

// Stripe's own list ("Non-retryable decline codes" in docs.stripe.com/billing/revenue-recovery/smart-retries). A plain
// refusal is not on it: do_not_honor, generic_decline and insufficient_funds often pass a few days later.
const STRIPE_NEVER_RETRIES = [
  "authentication_required",
  "highest_risk_level",
  "incorrect_number",
  "lost_card",
  "pickup_card",
  "revocation_of_all_authorizations",
  "revocation_of_authorization",
  "stolen_card",
  "transaction_not_allowed",
];

// Beside them: what says so by its name, and what Visa counts among the reasons for which an issuer never approves (its
// category 1), under the names that services/bank/reasons.ts gives them: a closed account (46) and a stopped payment (R0).
const NEVER_APPROVED = ["do_not_try_again", "invalid_account", "stop_payment_order"];

const HARD_DECLINES: ReadonlySet<string> = new Set([...STRIPE_NEVER_RETRIES, ...NEVER_APPROVED]);

function isWait(days: number): boolean {
  return Number.isSafeInteger(days) && days >= 1;
}
