import { systemClock } from "../../services/_runtime/clock.ts";
import { inParallel } from "../chaos/lanes.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { type Merchant, post } from "./stored-customers.ts";

/** Subscriptions made side by side. */
const SIDE_BY_SIDE = 32;
/** By these the time is judged that making all takes; their own trials end long after the measure. */
const TRIED_FIRST = 100;
/** Half as long again as it should take: none may be due before the last is made. */
const CAUTION = 1.5;
const SPARE_S = 3;
const DAY_S = 86_400;
/** Between two looks at how many are paid; each is one count over an index. */
const POLL_MS = 200;

/** Subscriptions whose trials end in the same second. */
export interface DueSubscriptions {
  /** Resolves at that second. */
  untilDue(): Promise<void>;
  /** Resolves when each has its invoice of the first paid period, paid; to the milliseconds since they were due. */
  untilPaid(maxMs: number): Promise<number>;
}

/** Makes so many, of 10 USD a month each, on the customers in turn. */
export async function createDueSubscriptions(
  tripe: MeasuredTripe,
  { key, customerIds }: Merchant,
  count: number,
): Promise<DueSubscriptions> {
  const product = {
    currency: "usd",
    unit_amount: "1000",
    "recurring[interval]": "month",
    "product_data[name]": "Gold",
  };
  const { id: price } = await post(tripe.port, key, "/v1/prices", product);
  const make = (count: number, trialEndS: number) =>
    inParallel(
      Array.from({ length: count }, (_, at) => customerIds[at % customerIds.length] ?? ""),
      SIDE_BY_SIDE,
      async (customer) => {
        const form = { customer, "items[0][price]": String(price), trial_end: String(trialEndS) };
        await post(tripe.port, key, "/v1/subscriptions", form);
      },
    );
  const nowS = () => Math.ceil(systemClock.nowMs() / 1_000);
  const startMs = systemClock.preciseMs();
  await make(TRIED_FIRST, nowS() + 7 * DAY_S);
  const eachS = (systemClock.preciseMs() - startMs) / 1_000 / TRIED_FIRST;
  const dueS = nowS() + Math.ceil(eachS * count * CAUTION) + SPARE_S;
  await make(count, dueS);
  if (nowS() >= dueS) throw new Error("some were due before the last was made: the machine is too busy");
  const dueMs = dueS * 1_000;
  const paidBefore = await countPaid(tripe);
  return {
    untilDue: () => systemClock.sleep(Math.max(0, dueMs - systemClock.nowMs())),
    untilPaid: (maxMs) => waitForPaid(tripe, { count: paidBefore + count, dueMs, maxMs }),
  };
}

async function waitForPaid(
  tripe: MeasuredTripe,
  { count, dueMs, maxMs }: { count: number; dueMs: number; maxMs: number },
): Promise<number> {
  for (;;) {
    const [paid, ms] = [await countPaid(tripe), systemClock.nowMs() - dueMs];
    if (paid >= count) return ms;
    if (ms > maxMs) throw new Error(`after ${Math.round(ms / 1_000)} s ${count - paid} are not paid yet`);
    await systemClock.sleep(POLL_MS);
  }
}

/** Invoices of renewals that are paid, of all times. */
function countPaid(tripe: MeasuredTripe): Promise<number> {
  return tripe.asOwner(async (client) => {
    const { rows } = await client.query<{ paid: number }>(
      `select count(*)::int as paid from tripe.invoice
        where billing_reason = 'subscription_cycle' and state = 'paid' and amount_due_minor > 0`,
    );
    return rows[0]?.paid ?? 0;
  });
}
