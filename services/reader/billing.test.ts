import { expect, test } from "vitest";
import { CollectionMethod, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestTripe } from "../testing.ts";
import { createBillingSteps, line } from "../writer/testing-billing.ts";
import { refusal } from "./testing.ts";

const tripe = await startTestTripe();
const { accountId, liveAccountId } = tripe;
const { reader, writer } = tripe.clientsOf("edge");
const made = await live();

/** What a merchant's morning leaves: two customers, prices, invoices in several states and two subscriptions. */
async function live() {
  const steps = createBillingSteps(writer, accountId);
  const { key } = steps;
  const [ann, bob] = [await steps.createCustomer(), await steps.createCustomer("bob@example.com")];
  const gold = await steps.createPrice({ lookupKey: "gold" });
  const { recurrence: _, ...oneOff } = gold;
  const once = { priceId: createId("price_"), productId: gold.productId, isActive: false };
  await writer.createPrice({ ...key(), price: { ...oneOff, ...once, lookupKey: "once" } });
  await writer.createProduct({ ...key(), product: { productId: createId("prod_"), name: "Old", isActive: false } });
  const item = await steps.createItem(ann);
  const taken = await steps.createItem(ann, 700n);
  const { invoiceItemId } = taken;
  const draft = await steps.createDraft(ann, [line(700n, { invoiceItemId }), line(1n)]);
  const sending = { collectionMethod: CollectionMethod.SEND_INVOICE, daysUntilDue: 7 };
  const sent = await steps.createOpen(bob, [line()], sending);
  const paid = await steps.createOpen(bob);
  await writer.payInvoiceOutOfBand({ ...key(), invoiceId: paid.invoiceId });
  const subscribed = await steps.subscribe(ann, gold);
  const ended = await steps.subscribe(bob, await steps.createPrice());
  await writer.cancelSubscription({ ...key(), subscriptionId: ended.subscription.subscriptionId });
  return { ann, bob, gold, once, item, taken, draft, sent, paid, subscribed, ended };
}

const invoiceIds = async (request: Omit<Parameters<typeof reader.listInvoices>[0], "accountId" | "$typeName">) =>
  (await reader.listInvoices({ accountId, ...request })).invoices.map(({ invoiceId }) => invoiceId);

test("what the writer made is read as the writer answered it", async () => {
  const { gold, draft, item, subscribed } = made;
  expect((await reader.getPrice({ accountId, priceId: gold.priceId })).price).toEqual(gold);
  const { product } = await reader.getProduct({ accountId, productId: gold.productId });
  expect(product).toMatchObject({ name: "Gold", isActive: true });
  expect((await reader.getInvoice({ accountId, invoiceId: draft.invoiceId })).invoice).toEqual(draft);
  const { invoiceItem } = await reader.getInvoiceItem({ accountId, invoiceItemId: item.invoiceItemId });
  expect(invoiceItem).toEqual(item);
  const { subscriptionId } = subscribed.subscription;
  expect((await reader.getSubscription({ accountId, subscriptionId })).subscription).toEqual(subscribed.subscription);
});

test("listProducts and listPrices filter by what is active, recurring, of a product or named by a key", async () => {
  const { gold, once } = made;
  const products = async (isActive: boolean) =>
    (await reader.listProducts({ accountId, isActive })).products.map(({ name }) => name);
  expect([await products(false), new Set(await products(true))]).toEqual([["Old"], new Set(["Gold"])]);
  const prices = async (request: object) =>
    (await reader.listPrices({ accountId, ...request })).prices.map(({ priceId }) => priceId);
  const { productId } = gold;
  expect(await prices({ productId })).toEqual([once.priceId, gold.priceId]);
  expect(await prices({ productId, isRecurring: true })).toEqual([gold.priceId]);
  expect(await prices({ isRecurring: false })).toEqual([once.priceId]);
  expect(await prices({ isActive: false })).toEqual([once.priceId]);
  expect(await prices({ lookupKeys: ["gold", "once", "none"] })).toEqual([once.priceId, gold.priceId]);
  expect(await prices({ productId, currencyCode: "EUR" })).toEqual([]);
});

test("listInvoices filters by customer, subscription, state and how it is collected, with lines", async () => {
  const { ann, bob, draft, sent, paid, subscribed, ended } = made;
  expect(await invoiceIds({ customerId: ann })).toEqual([subscribed.invoiceId, draft.invoiceId]);
  expect(await invoiceIds({ customerId: bob })).toEqual([ended.invoiceId, paid.invoiceId, sent.invoiceId]);
  expect(await invoiceIds({ subscriptionId: subscribed.subscription.subscriptionId })).toEqual([subscribed.invoiceId]);
  expect(await invoiceIds({ state: InvoiceState.PAID })).toEqual([paid.invoiceId]);
  expect(await invoiceIds({ state: InvoiceState.VOID })).toEqual([ended.invoiceId]);
  expect(await invoiceIds({ collectionMethod: CollectionMethod.SEND_INVOICE })).toEqual([sent.invoiceId]);
  const { invoices, nextPageToken } = await reader.listInvoices({ accountId, pageSize: 1, customerId: ann });
  expect(invoices[0]?.lines).toHaveLength(1);
  const { invoices: rest } = await reader.listInvoices({ accountId, customerId: ann, pageToken: nextPageToken });
  expect(rest).toEqual([draft]);
});

test("listInvoiceItems tells pending ones from those of an invoice", async () => {
  const { ann, item, taken, draft } = made;
  const items = async (request: object) =>
    (await reader.listInvoiceItems({ accountId, ...request })).invoiceItems.map(({ invoiceItemId }) => invoiceItemId);
  expect(await items({ customerId: ann })).toEqual([taken.invoiceItemId, item.invoiceItemId]);
  expect(await items({ isPending: true })).toEqual([item.invoiceItemId]);
  expect(await items({ invoiceId: draft.invoiceId })).toEqual([taken.invoiceItemId]);
});

test("listInvoicePayments lists the payments of one invoice", async () => {
  const { paid, sent } = made;
  const payments = async (invoiceId: string) =>
    (await reader.listInvoicePayments({ accountId, invoiceId })).invoicePayments;
  expect(await payments(paid.invoiceId)).toMatchObject([{ amount: { amountMinor: 2500n }, invoiceId: paid.invoiceId }]);
  expect(await payments(sent.invoiceId)).toEqual([]);
});

test("listSubscriptions leaves out what has ended, unless it is asked for", async () => {
  const { ann, bob, gold, subscribed, ended } = made;
  const [runningId, endedId] = [subscribed, ended].map(({ subscription }) => subscription.subscriptionId);
  const ids = async (request: object) =>
    (await reader.listSubscriptions({ accountId, ...request })).subscriptions.map((one) => one.subscriptionId);
  expect(await ids({})).toEqual([runningId]);
  expect(await ids({ isEndedIncluded: true })).toEqual([endedId, runningId]);
  expect(await ids({ state: SubscriptionState.INCOMPLETE_EXPIRED })).toEqual([endedId]);
  expect(await ids({ customerId: bob })).toEqual([]);
  expect(await ids({ customerId: ann, priceId: gold.priceId })).toEqual([runningId]);
  expect(await ids({ priceId: "price_none" })).toEqual([]);
});

test("another account finds none of it", async () => {
  const { gold, draft, item, subscribed } = made;
  const of = { accountId: liveAccountId };
  // Before the others are asked: a refusal that nobody waits for yet would count as unhandled.
  const eventId = (await reader.listEvents({ accountId, pageSize: 1 })).events[0]?.eventId ?? "";
  const asked = [
    reader.getProduct({ ...of, productId: gold.productId }),
    reader.getPrice({ ...of, priceId: gold.priceId }),
    reader.getInvoice({ ...of, invoiceId: draft.invoiceId }),
    reader.getInvoiceItem({ ...of, invoiceItemId: item.invoiceItemId }),
    reader.getSubscription({ ...of, subscriptionId: subscribed.subscription.subscriptionId }),
    reader.getEvent({ ...of, eventId }),
  ];
  const nouns = ["PRODUCT", "PRICE", "INVOICE", "INVOICE_ITEM", "SUBSCRIPTION", "EVENT"];
  expect((await Promise.all(asked.map(refusal))).map((one) => one?.reason)).toEqual(
    nouns.map((one) => `${one}_NOT_FOUND`),
  );
  expect((await reader.listInvoices({ ...of, customerId: made.ann })).invoices).toEqual([]);
  expect((await reader.listPrices({ ...of, lookupKeys: ["gold"] })).prices).toEqual([]);
});
