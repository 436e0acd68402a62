import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { InvoiceLineSchema } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { IntervalUnit, type Price, type Recurrence } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { describePeriod } from "../../../services/_billing/describe-period.ts";
import type { Interval } from "../../../services/_billing/interval.ts";
import { periodOf } from "../../../services/_billing/periods.ts";
import { lineAmount } from "../../../services/_billing/totals.ts";
import { assert } from "../../../services/_runtime/errors.ts";
import { found } from "../../reads.ts";

/** What a subscription bills each period. */
export interface BilledItem {
  readonly subscriptionItemId: string;
  readonly price: Price;
  readonly quantity: bigint;
}

/** When a subscription's period and its trial begin and end. */
export interface Times {
  readonly anchorTime: Timestamp;
  readonly periodIndex: number;
  readonly periodStartTime: Timestamp;
  readonly periodEndTime: Timestamp;
  readonly trialStartTime?: Timestamp;
  readonly trialEndTime?: Timestamp;
}

/**
 * The first period of a subscription that begins now: period 0, or with a trial the one before it, -1, from now to the
 * trial's end, from which all others are counted then.
 */
export function firstPeriod({
  now,
  trialEnd,
  recurrence,
}: {
  now: Date;
  trialEnd: Date | undefined;
  recurrence: Recurrence;
}): Times {
  if (trialEnd === undefined) {
    const { start, end } = periodOf(now, intervalOf(recurrence), 0);
    const [periodStartTime, periodEndTime] = [timestampFromDate(start), timestampFromDate(end)];
    return { anchorTime: periodStartTime, periodIndex: 0, periodStartTime, periodEndTime };
  }
  const [startTime, endTime] = [timestampFromDate(now), timestampFromDate(trialEnd)];
  return {
    anchorTime: endTime,
    periodIndex: -1,
    periodStartTime: startTime,
    periodEndTime: endTime,
    trialStartTime: startTime,
    trialEndTime: endTime,
  };
}

/** The lines of a subscription's first invoice: a period of each item, or nothing to pay while it is tried. */
export function firstLines(
  items: readonly BilledItem[],
  { periodStartTime, periodEndTime, trialEndTime }: Times,
): (MessageInitShape<typeof InvoiceLineSchema> & { readonly amountMinor: bigint })[] {
  return items.map(({ subscriptionItemId, price, quantity }) => {
    const billed = trialEndTime === undefined ? wholePeriod(price, quantity) : freeTrial(price);
    const { priceId, productId } = price;
    return {
      ...billed,
      quantity,
      priceId,
      productId,
      subscriptionItemId,
      periodStartTime,
      periodEndTime,
    };
  });
}

/** What a whole period of all items costs, in minor units. */
export function recurringTotal(items: readonly BilledItem[]): bigint {
  return items.reduce((sumMinor, { price, quantity }) => sumMinor + wholePeriod(price, quantity).amountMinor, 0n);
}

function wholePeriod(price: Price, quantity: bigint) {
  const unitAmount = found(price.unitAmount);
  const interval = intervalOf(found(price.recurrence));
  return {
    description: describePeriod({ quantity, productName: price.productName, unitAmount, interval }),
    unitAmountMinor: unitAmount.amountMinor,
    amountMinor: lineAmount({ unitAmountMinor: unitAmount.amountMinor, quantity }),
  };
}

function freeTrial(price: Price) {
  return { description: `Trial period for ${price.productName}`, unitAmountMinor: 0n, amountMinor: 0n };
}

function intervalOf({ unit, count }: Recurrence): Interval {
  const word = intervalWords.get(unit);
  assert(word !== undefined, "a recurrence has a unit");
  return { unit: word, count };
}

const intervalWords = new Map<IntervalUnit, Interval["unit"]>([
  [IntervalUnit.DAY, "day"],
  [IntervalUnit.WEEK, "week"],
  [IntervalUnit.MONTH, "month"],
  [IntervalUnit.YEAR, "year"],
]);
