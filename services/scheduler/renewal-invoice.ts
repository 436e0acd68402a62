import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import {
  CollectionMethod,
  type Invoice,
  type InvoiceItem,
  type InvoiceLine,
  InvoiceLineSchema,
  InvoiceSchema,
} from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { IntervalUnit } from "../../gen/tripe/billing/v1/product_pb.ts";
import {
  type Subscription,
  type SubscriptionItem,
  SubscriptionState,
} from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { affordable } from "../_billing/affordable.ts";
import { describePeriod } from "../_billing/describe-period.ts";
import type { IntervalUnit as UnitName } from "../_billing/interval.ts";
import { lineAmount } from "../_billing/totals.ts";
import { chargeBounds } from "../_runtime/charge-bounds.ts";
import { assert } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";

/** The period an invoice bills. */
export interface BilledPeriod {
  readonly periodIndex: number;
  readonly periodStartTime: Timestamp;
  readonly periodEndTime: Timestamp;
}

/**
 * Writes the draft that bills one period of a subscription: a line an item, then what the customer owes beside it, less
 * the credits, as far as one charge can be that. The invoices of a subscription that was given up are not collected by themselves (UNPAID, docs.stripe.com/billing/
 * subscriptions/overview).
 */
export function renewalInvoice(
  subscription: Subscription,
  period: BilledPeriod,
  pendingItems: readonly InvoiceItem[],
): Invoice {
  const { subscriptionId, customerId, currencyCode, collectionMethod, daysUntilDue, state } = subscription;
  const lines = subscription.items.map((item) => lineOfPrice(item, period));
  const besideMinor = lines.reduce((sumMinor, { amountMinor }) => sumMinor + amountMinor, 0n);
  const isCharged = collectionMethod === CollectionMethod.CHARGE_AUTOMATICALLY;
  const beside = affordable(pendingItems, besideMinor, chargeBounds({ currencyCode, isCharged }));
  return create(InvoiceSchema, {
    invoiceId: createId("in_"),
    subscriptionId,
    customerId,
    currencyCode,
    collectionMethod,
    daysUntilDue,
    billingReason: BillingReason.SUBSCRIPTION_CYCLE,
    isAutoAdvancing: state !== SubscriptionState.UNPAID,
    ...period,
    lines: [...lines, ...beside.map(lineOfItem)],
  });
}

/** The word of a unit; a subscription's prices repeat, so there is one. */
export function unitName(unit: IntervalUnit): UnitName {
  const name = unitNames[unit];
  assert(name !== undefined, `no interval has the unit ${unit}`);
  return name;
}

const unitNames: Partial<Record<IntervalUnit, UnitName>> = {
  [IntervalUnit.DAY]: "day",
  [IntervalUnit.WEEK]: "week",
  [IntervalUnit.MONTH]: "month",
  [IntervalUnit.YEAR]: "year",
};

function lineOfPrice({ subscriptionItemId, price, quantity }: SubscriptionItem, period: BilledPeriod): InvoiceLine {
  assert(price?.unitAmount && price.recurrence, "an item of a subscription has a price, which repeats");
  const { productName, unitAmount, recurrence, priceId } = price;
  const { amountMinor: unitAmountMinor } = unitAmount;
  const interval = { unit: unitName(recurrence.unit), count: recurrence.count };
  return create(InvoiceLineSchema, {
    description: describePeriod({ quantity, productName, unitAmount, interval }),
    quantity,
    unitAmountMinor,
    amountMinor: lineAmount({ unitAmountMinor, quantity }),
    priceId,
    subscriptionItemId,
    periodStartTime: period.periodStartTime,
    periodEndTime: period.periodEndTime,
  });
}

function lineOfItem(item: InvoiceItem): InvoiceLine {
  const { description, quantity, unitAmountMinor, amountMinor, priceId, invoiceItemId, metadata } = item;
  const { periodStartTime, periodEndTime } = item;
  return create(InvoiceLineSchema, {
    description,
    quantity,
    ...(unitAmountMinor !== undefined && { unitAmountMinor }),
    amountMinor,
    priceId,
    invoiceItemId,
    metadata,
    ...(periodStartTime && { periodStartTime }),
    ...(periodEndTime && { periodEndTime }),
  });
}
