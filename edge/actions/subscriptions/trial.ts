import type { Price } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { parametersExclusive } from "../../parameter-problems.ts";
import { trialEndPast, trialEndTooFar } from "../../subscription-problems.ts";
import type { SubscriptionParams } from "./subscription-params.ts";

/** Stripe's: two years (`trial_period_days` in docs.stripe.com/api/subscriptions/create). */
const DAYS_MAX = 730;

const DAY_MS = 86_400_000;

/**
 * When the trial of a new subscription ends; undefined without one. A price's own days count only when they are asked for
 * (`trial_from_plan`), as with Stripe. Throws a Problem.
 */
export function readTrialEnd(
  given: Pick<SubscriptionParams, "trial_end" | "trial_from_plan" | "trial_period_days">,
  { now, prices }: { now: Date; prices: readonly Price[] },
): Date | undefined {
  const { trial_end: end, trial_period_days: days, trial_from_plan: isFromPlan = false } = given;
  if (end !== undefined && days !== undefined) throw parametersExclusive("trial_end", "trial_period_days");
  if (isFromPlan && days !== undefined) throw parametersExclusive("trial_from_plan", "trial_period_days");
  if (end === "now") return undefined;
  if (end !== undefined) return judgeEnd(new Date(Number(end) * 1_000), now);
  const ownDays = isFromPlan ? Math.max(...prices.map(({ trialPeriodDays }) => trialPeriodDays)) : 0;
  const trialDays = days ?? ownDays;
  return trialDays === 0 ? undefined : new Date(now.getTime() + trialDays * DAY_MS);
}

// A number that is no date at all is too far away as well.
function judgeEnd(end: Date, now: Date): Date {
  if (end <= now) throw trialEndPast();
  if (!(end.getTime() <= now.getTime() + DAYS_MAX * DAY_MS)) throw trialEndTooFar(DAYS_MAX);
  return end;
}
