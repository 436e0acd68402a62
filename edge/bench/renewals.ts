import { createDueSubscriptions } from "./due-subscriptions.ts";
import { figureOf } from "./figure.ts";
import type { Measure } from "./measure.ts";
import { createMerchant } from "./stored-customers.ts";

/** Each has ten of the subscriptions. */
const CUSTOMER_SHARE = 0.1;
/** Ten times the goal: what is not done by then is not worth the wait. */
const PAID_MAX_MS = 300_000;

/** P6: a month's end, when every subscription is due in the same second. */
export const renewals: Measure = {
  row: "P6",
  sentence: "seconds until subscriptions due in the same second are all billed and paid",
  wirings: ["processes", "one"],
  run: (context, wiring) =>
    context.onTripe(wiring, async (tripe) => {
      const { subscriptions } = context.sizes;
      const merchant = await createMerchant(tripe.port, Math.ceil(subscriptions * CUSTOMER_SHARE));
      const due = await createDueSubscriptions(tripe, merchant, subscriptions);
      await due.untilDue();
      const seconds = (await due.untilPaid(PAID_MAX_MS)) / 1_000;
      context.note(`${wiring}: ${subscriptions} subscriptions, ${(subscriptions / seconds).toFixed(0)} a second`);
      // The goal is for ten thousand of them.
      const goal = subscriptions === 10_000 ? { goal: 30 } : {};
      const part = `${subscriptions} subscriptions`;
      return [figureOf({ measure: "P6", part, wiring, value: seconds, bound: "most", ...goal })];
    }),
};
