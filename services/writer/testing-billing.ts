import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import {
  CollectionMethod,
  type Invoice,
  type InvoiceItem,
  type InvoiceLineSchema,
} from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { IntervalUnit, type Price } from "../../gen/tripe/billing/v1/product_pb.ts";
import { type Subscription, SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type { ClientsOf } from "../_runtime/clients.ts";
import { createId } from "../_runtime/ids.ts";

type Line = MessageInitShape<typeof InvoiceLineSchema>;
type Change<Noun> = Partial<Omit<Noun, "$typeName" | "$unknown">>;

/** The steps call as the edge does. */
type BillingWriter = ClientsOf<"edge">["writer"];

/** A moment well in the past, at which the subscriptions of tests begin; a period is 30 days. */
export const START_MS: number = Date.UTC(2026, 0, 1);
const PERIOD_MS = 30 * 86_400_000;

/** The first moment of a subscription's period. */
export function periodStart(index: number): Timestamp {
  return timestampFromMs(START_MS + index * PERIOD_MS);
}

/** The steps that tests of billing take with a writer, for one account. */
export function createBillingSteps(writer: BillingWriter, accountId: string) {
  const key = (requestId = createId("req_")) => ({ accountId, requestId, requestDigest: new Uint8Array([1]) });
  return { key, ...createInvoiceSteps(writer, key), ...createSubscriptionSteps(writer, key) };
}

type Key = (requestId?: string) => { accountId: string; requestId: string; requestDigest: Uint8Array };

function createInvoiceSteps(writer: BillingWriter, key: Key) {
  const createCustomer = async (email = "ann@example.com"): Promise<string> => {
    const customerId = createId("cus_");
    await writer.createCustomer({ ...key(), customer: { customerId, invoicePrefix: "ABC", name: "Ann", email } });
    return customerId;
  };
  const createItem = async (customerId: string, amountMinor = 500n, invoiceId = ""): Promise<InvoiceItem> => {
    const ids = { invoiceItemId: createId("ii_"), customerId, invoiceId };
    const item = { ...ids, currencyCode: "USD", amountMinor, quantity: 1n, description: "Work" };
    return given((await writer.createInvoiceItem({ ...key(), invoiceItem: item })).invoiceItem);
  };
  const draftRequest = (customerId: string, lines: Line[] = [line()], change: Change<Invoice> = {}) => ({
    ...key(),
    invoice: {
      invoiceId: createId("in_"),
      customerId,
      currencyCode: "USD",
      billingReason: BillingReason.MANUAL,
      collectionMethod: CollectionMethod.CHARGE_AUTOMATICALLY,
      lines,
      ...change,
    },
  });
  const createDraft = async (...asked: Parameters<typeof draftRequest>): Promise<Invoice> =>
    given((await writer.createInvoice(draftRequest(...asked))).invoice);
  const finalize = async (invoiceId: string): Promise<Invoice> =>
    given((await writer.finalizeInvoice({ ...key(), invoiceId })).invoice);
  const createOpen = async (...asked: Parameters<typeof draftRequest>): Promise<Invoice> =>
    finalize((await createDraft(...asked)).invoiceId);
  return { createCustomer, createItem, draftRequest, createDraft, finalize, createOpen };
}

function createSubscriptionSteps(writer: BillingWriter, key: Key) {
  const createPrice = async (change: Change<Price> = {}): Promise<Price> => {
    const price = {
      priceId: createId("price_"),
      unitAmount: { amountMinor: 1000n, currencyCode: "USD" },
      recurrence: { unit: IntervalUnit.DAY, count: 30 },
      isActive: true,
      ...change,
    };
    const product = { productId: createId("prod_"), name: "Gold", isActive: true };
    return given((await writer.createPrice({ ...key(), price, product })).price);
  };
  const subscriptionRequest = (customerId: string, price: Price, change: Change<Subscription> = {}) => {
    const subscriptionItemId = createId("si_");
    const collectionMethod = change.collectionMethod ?? CollectionMethod.CHARGE_AUTOMATICALLY;
    const subscription = {
      subscriptionId: createId("sub_"),
      customerId,
      state: SubscriptionState.INCOMPLETE,
      items: [{ subscriptionItemId, price, quantity: 1n }],
      currencyCode: "USD",
      collectionMethod,
      anchorTime: periodStart(0),
      periodStartTime: periodStart(0),
      periodEndTime: periodStart(1),
      ...change,
    };
    return { ...key(), subscription, invoice: billOf(price, subscriptionItemId, collectionMethod) };
  };
  const subscribe = async (...asked: Parameters<typeof subscriptionRequest>) => {
    const request = subscriptionRequest(...asked);
    const { subscription } = await writer.createSubscription(request);
    return { subscription: given(subscription), invoiceId: request.invoice.invoiceId };
  };
  const renewRequest = ({ subscriptionId, items }: Subscription, periodIndex: number) => ({
    accountId: key().accountId,
    requestId: `${subscriptionId}/${periodIndex}`,
    subscriptionId,
    periodIndex,
    periodStartTime: periodStart(periodIndex),
    periodEndTime: periodStart(periodIndex + 1),
    invoice: {
      ...billOf(given(items[0]?.price), items[0]?.subscriptionItemId ?? ""),
      billingReason: BillingReason.SUBSCRIPTION_CYCLE,
    },
  });
  return { createPrice, subscriptionRequest, subscribe, renewRequest };
}

/** A line of so much. */
export function line(amountMinor = 2500n, change: Change<Line> = {}): Line {
  return { description: "Work", quantity: 1n, amountMinor, ...change };
}

function billOf(
  price: Price,
  subscriptionItemId: string,
  collectionMethod: CollectionMethod = CollectionMethod.CHARGE_AUTOMATICALLY,
) {
  const amountMinor = price.unitAmount?.amountMinor ?? 0n;
  return {
    invoiceId: createId("in_"),
    currencyCode: "USD",
    billingReason: BillingReason.SUBSCRIPTION_CREATE,
    collectionMethod,
    isAutoAdvancing: true,
    ...(collectionMethod === CollectionMethod.SEND_INVOICE && { daysUntilDue: 30 }),
    lines: [line(amountMinor, { priceId: price.priceId, subscriptionItemId })],
  };
}

function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("an answer without what it promises");
  return value;
}
