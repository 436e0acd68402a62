import type { MessageInitShape } from "@bufbuild/protobuf";
import { BillingReason } from "../../../gen/tripe/billing/v1/billing_reason_pb.ts";
import { CollectionMethod, type InvoiceSchema } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import type { Price } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { type SubscriptionSchema, SubscriptionState } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import type { GetPayerResponse } from "../../../gen/tripe/reader/v1/reader_service_pb.ts";
import { affordable } from "../../../services/_billing/affordable.ts";
import { totalsOf } from "../../../services/_billing/totals.ts";
import { chargeBounds } from "../../../services/_runtime/charge-bounds.ts";
import { metadataOf, textOf } from "../../messages.ts";
import { lineOfItem, listPendingItems } from "../../pending-items.ts";
import { amountTooLarge, amountTooSmall, resourceMissing } from "../../problems.ts";
import { found } from "../../reads.ts";
import type { PublicRequest } from "../../route.ts";
import {
  daysUntilDueMissing,
  daysUntilDueNotAllowed,
  paymentMethodMissing,
  paymentMethodNotCustomers,
} from "../../subscription-problems.ts";
import { firstLines, firstPeriod, recurringTotal } from "./first-invoice.ts";
import { createNewPrices, judgePrices, readPrices } from "./subscription-items.ts";
import type { SubscriptionParams } from "./subscription-params.ts";
import { readTrialEnd } from "./trial.ts";

/** A subscription and its first invoice, ready to be written. */
export interface PlannedSubscription {
  readonly subscription: MessageInitShape<typeof SubscriptionSchema>;
  readonly invoice: MessageInitShape<typeof InvoiceSchema>;
}

/** Works a new subscription out: who pays, from when to when, and what at first. Throws a Problem when it cannot be. */
export async function planSubscription(
  request: PublicRequest,
  given: SubscriptionParams,
): Promise<PlannedSubscription> {
  const collection = readCollection(given);
  const [payer, prices, pending] = await Promise.all([
    readPayer(request, given),
    readPrices(request, given.items),
    listPendingItems(request, given.customer),
  ]);
  judgePayer(given, payer);
  const { currencyCode, recurrence } = judgePrices(prices, given);
  // Public times are whole seconds, and so is the moment that all periods are counted from.
  const now = new Date(Number(found(payer.businessTime).seconds) * 1_000);
  const times = firstPeriod({ now, trialEnd: readTrialEnd(given, { now, prices }), recurrence });
  // What the customer owes besides is billed with the first period, as with every later one. A known gap: Stripe bills it
  // with a trial's first invoice too; here it waits for the trial's end.
  const owed = times.trialEndTime === undefined ? pending.filter((item) => item.currencyCode === currencyCode) : [];
  const priced = itemsOf(request, given, prices);
  judgeTotal(recurringTotal(priced), currencyCode);
  const billed = firstLines(priced, times);
  const isAutomatic = collection.collectionMethod === CollectionMethod.CHARGE_AUTOMATICALLY;
  const bounds = chargeBounds({ currencyCode, isCharged: isAutomatic });
  const owedLines = affordable(owed, totalsOf({ lines: billed }).totalMinor, bounds).map(lineOfItem);
  const isCharged = isAutomatic && totalsOf({ lines: [...billed, ...owedLines] }).totalMinor > 0n;
  const isLeftToClient = isCharged && given.payment_behavior === "default_incomplete";
  if (isCharged && !isLeftToClient && payer.paymentMethod === undefined) throw paymentMethodMissing();
  const items = itemsOf(request, given, await createNewPrices(request, { items: given.items, prices }));
  const ids = { subscriptionId: request.createId("sub_"), customerId: given.customer };
  const unpaidState = times.trialEndTime === undefined ? SubscriptionState.ACTIVE : SubscriptionState.TRIALING;
  return {
    subscription: {
      ...ids,
      ...times,
      ...collection,
      state: isCharged ? SubscriptionState.INCOMPLETE : unpaidState,
      items,
      currencyCode,
      defaultPaymentMethodId: given.default_payment_method ?? "",
      isEndingWithPeriod: given.cancel_at_period_end ?? false,
      description: textOf(given.description),
      metadata: metadataOf(given.metadata),
    },
    invoice: {
      ...ids,
      ...collection,
      invoiceId: request.createId("in_"),
      currencyCode,
      billingReason: BillingReason.SUBSCRIPTION_CREATE,
      // What the client wants to have paid in its own time, no sweep may collect before.
      isAutoAdvancing: !isLeftToClient,
      lines: [...firstLines(items, times), ...owedLines],
      periodIndex: times.periodIndex,
      periodStartTime: times.periodStartTime,
      periodEndTime: times.periodEndTime,
    },
  };
}

function readPayer({ accountId, clients }: PublicRequest, given: SubscriptionParams): Promise<GetPayerResponse> {
  const { customer: customerId, default_payment_method: paymentMethodId = "" } = given;
  return clients.reader.getPayer({ accountId, customerId, paymentMethodId });
}

function readCollection({ collection_method: method, days_until_due: days }: SubscriptionParams) {
  if (method === "send_invoice") {
    if (days === undefined) throw daysUntilDueMissing();
    return { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: days };
  }
  if (days !== undefined) throw daysUntilDueNotAllowed();
  return { collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY, daysUntilDue: 0 };
}

function judgePayer(given: SubscriptionParams, { customer, paymentMethod }: GetPayerResponse): void {
  if (customer === undefined || customer.deleteTime !== undefined) {
    throw resourceMissing({ noun: "customer", id: given.customer, param: "customer" });
  }
  const { default_payment_method: id } = given;
  if (id === undefined) return;
  if (paymentMethod === undefined) {
    throw resourceMissing({ noun: "PaymentMethod", id, param: "default_payment_method" });
  }
  if (paymentMethod.customerId !== given.customer) throw paymentMethodNotCustomers(id);
}

// A renewal is one charge, and nobody is there to be told that it cannot be. One that is mailed may be charged later on.
function judgeTotal(totalMinor: bigint, currencyCode: string): void {
  const { leastMinor, mostMinor } = chargeBounds({ currencyCode, isCharged: true });
  if (totalMinor > mostMinor) throw amountTooLarge(mostMinor, currencyCode);
  if (totalMinor > 0n && totalMinor < leastMinor) throw amountTooSmall(leastMinor, currencyCode);
}

function itemsOf({ createId }: PublicRequest, { items }: SubscriptionParams, prices: readonly Price[]) {
  return prices.map((price, index) => ({
    subscriptionItemId: createId("si_"),
    price,
    quantity: BigInt(items[index]?.quantity ?? 1),
    metadata: metadataOf(items[index]?.metadata),
  }));
}
