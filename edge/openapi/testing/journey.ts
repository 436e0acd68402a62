import type { Recorder } from "./recorder.ts";

// The years of a card's expiry are in the examples: those of test cards' names would change with the machine's.
const card = { number: "4242424242424242", exp_month: 12, exp_year: 2034, cvc: "314" };
const declined = { ...card, number: "4000000000000341" };
const address = { line1: "1 Rue", city: "Paris", postal_code: "75001", country: "FR" };

/** Takes one object of a list. */
function firstOf(list: Record<string, unknown>): Record<string, unknown> {
  const [first] = list["data"] as Record<string, unknown>[];
  if (first === undefined) throw new Error("the list is not empty");
  return first;
}

/** Customers, their cards, tokens. Gives a customer with a card. */
export async function useCustomers({ call }: Recorder): Promise<string> {
  const { id } = await call("createCustomer", {
    body: {
      email: "ann@example.com",
      name: "Ann É",
      invoice_prefix: "ANN",
      address,
      shipping: { name: "Ann É", address, carrier: "Post" },
      metadata: { order: "6735" },
      source: { ...card, name: "Ann É" },
    },
  });
  await call("retrieveCustomer", { id, query: { "expand[]": "sources" } });
  await call("updateCustomer", { id, body: { description: "the first", phone: "", address: null } });
  await call("listCustomers", { query: { email: "ann@example.com", "created[gte]": "1" } });
  await call("listCustomers", { query: { "expand[]": "data.sources", limit: "1" } });
  const token = await call("createToken", { body: { card } });
  await call("retrieveToken", { id: token["id"] });
  await call("createCustomerSource", { id, body: { source: token["id"] } });
  await call("listCustomerSources", { id, query: { object: "card", limit: "1" } });
  const method = await call("createPaymentMethod", { body: { type: "card", card, billing_details: { address } } });
  await call("attachPaymentMethod", { id: method["id"], body: { customer: id } });
  await call("retrievePaymentMethod", { id: method["id"], query: { "expand[]": "customer" } });
  await call("listPaymentMethods", { query: { customer: String(id), type: "card", limit: "1" } });
  await call("listCustomerPaymentMethods", { id, query: { limit: "1", "expand[]": "data.customer" } });
  await call("detachPaymentMethod", { id: method["id"] });
  const gone = await call("createCustomer", { body: {} });
  await call("deleteCustomer", { id: gone["id"] });
  await call("retrieveCustomer", { id: gone["id"] });
  return String(id);
}

/** Charges and refunds, under both their names. */
export async function useCharges({ call }: Recorder, customer: string): Promise<void> {
  const body = { amount: 2_000, currency: "usd", customer, description: "a book", receipt_email: "ann@example.com" };
  const { id } = await call("createCharge", { body });
  const held = await call("createCharge", { body: { ...body, capture: false } });
  await call("captureCharge", { id: held["id"], body: { amount: 1_500 } });
  await call("updateCharge", { id, body: { metadata: { order: "6735" } } });
  const refund = await call("createRefund", { body: { charge: id, amount: 500, reason: "requested_by_customer" } });
  await call("createReturn", { body: { charge: id, amount: 100, expand: ["charge", "balance_transaction"] } });
  const ofId = { id: refund["id"], query: { "expand[]": "balance_transaction" } };
  await Promise.all([call("retrieveRefund", ofId), call("retrieveReturn", ofId)]);
  await call("listRefunds", { query: { charge: String(id), limit: "1" } });
  await call("listReturns", { query: { charge: String(id), "expand[]": "data.charge" } });
  for (const path of ["refunds", "customer", "balance_transaction", "application", "review"]) {
    await call("retrieveCharge", { id, query: { "expand[]": path } });
  }
  await call("listCharges", { query: { customer, limit: "1" } });
}

/** Products, prices, subscriptions. Gives a price that repeats. */
export async function useSubscriptions({ call }: Recorder, customer: string): Promise<void> {
  const product = await call("createProduct", { body: { name: "Gold", description: "all of it" } });
  await call("retrieveProduct", { id: product["id"] });
  const price = await call("createPrice", {
    body: { product: product["id"], currency: "usd", unit_amount: 1_000, recurring: { interval: "month" } },
  });
  await call("updateProduct", { id: product["id"], body: { default_price: price["id"], expand: ["default_price"] } });
  await call("listProducts", { query: { active: "true", limit: "1" } });
  await call("retrievePrice", { id: price["id"], query: { "expand[]": "product" } });
  await call("updatePrice", { id: price["id"], body: { nickname: "the old one", lookup_key: "gold" } });
  await call("listPrices", { query: { "lookup_keys[]": "gold", currency: "usd", type: "recurring", limit: "1" } });
  const items = [{ price: price["id"], quantity: 2 }];
  const { id } = await call("createSubscription", { body: { customer, items, metadata: { seat: "1" } } });
  await call("retrieveSubscription", { id });
  for (const path of ["customer", "latest_invoice", "latest_invoice.charge", "items.data.price.product"]) {
    await call("retrieveSubscription", { id, query: { "expand[]": path } });
  }
  await call("updateSubscription", { id, body: { cancel_at_period_end: true } });
  await call("listSubscriptions", { query: { customer, limit: "1" } });
  await call("cancelSubscription", { id, query: { prorate: "false" } });
  const trial = { customer, items, trial_period_days: 7, collection_method: "send_invoice", days_until_due: 3 };
  await call("createSubscription", { body: trial });
}

/** Invoices, their items, lines and payments. */
export async function useInvoices({ call }: Recorder, customer: string): Promise<void> {
  const item = await call("createInvoiceItem", {
    body: { customer, amount: 2_500, currency: "usd", description: "Work" },
  });
  await call("retrieveInvoiceItem", { id: item["id"], query: { "expand[]": "customer" } });
  await call("updateInvoiceItem", { id: item["id"], body: { amount: 2_600 } });
  const words = { customer, collection_method: "send_invoice", days_until_due: 30, auto_advance: false };
  const including = { ...words, pending_invoice_items_behavior: "include" };
  const { id } = await call("createInvoice", { body: including });
  await call("updateInvoice", { id, body: { description: "Thank you", footer: "Paris" } });
  await call("listInvoiceItems", { query: { invoice: String(id), limit: "1" } });
  await call("listInvoiceItems", { query: { "expand[]": "data.invoice" } });
  await call("finalizeInvoice", { id });
  await call("sendInvoice", { id });
  await call("downloadInvoicePdf", { id });
  await call("listInvoiceLines", { id, query: { limit: "1" } });
  await call("markInvoiceUncollectible", { id });
  await call("payInvoice", { id, body: { expand: ["payments", "charge"] } });
  await call("listInvoicePayments", { query: { invoice: String(id) } });
  await call("listInvoicePayments", { query: { "expand[]": "data.payment.charge" } });
  for (const path of ["payments", "customer", "charge", "payment_intent"]) {
    await call("retrieveInvoice", { id, query: { "expand[]": path } });
  }
  await call("listInvoices", { query: { customer, status: "paid", limit: "1" } });
  const pending = await call("createInvoiceItem", { body: { customer, amount: 100, currency: "usd" } });
  await call("deleteInvoiceItem", { id: pending["id"] });
  const draft = await call("createInvoice", { body: words });
  await call("deleteInvoice", { id: draft["id"] });
  await call("createInvoiceItem", { body: { customer, amount: 300, currency: "usd" } });
  const open = await call("createInvoice", { body: including });
  await call("finalizeInvoice", { id: open["id"] });
  await call("voidInvoice", { id: open["id"] });
}

/** Makes the endpoint that later events are for. */
export async function makeEndpoint({ call }: Recorder): Promise<unknown> {
  const url = "https://example.com/hook";
  const { id } = await call("createWebhookEndpoint", { body: { url, enabled_events: ["*"] } });
  return id;
}

/** Events and webhook endpoints. */
export async function useEvents({ call }: Recorder, endpoint: unknown): Promise<void> {
  const id = firstOf(await call("listEvents", { query: { type: "charge.succeeded", limit: "1" } }))["id"];
  await call("retrieveEvent", { id });
  await call("listEvents", { query: { "types[]": "invoice.*", limit: "100" } });
  await call("listEvents", { query: { limit: "100" } });
  await call("retryEvent", { id, body: { webhook_endpoint: endpoint } });
  await call("listEventDeliveries", { id });
  await call("retrieveWebhookEndpoint", { id: endpoint });
  await call("listWebhookEndpoints", { query: { limit: "1" } });
  await call("rotateWebhookEndpointSecret", { id: endpoint, body: { expires_in: 0 } });
  await call("updateWebhookEndpoint", { id: endpoint, body: { disabled: true } });
  await call("deleteWebhookEndpoint", { id: endpoint });
}

/** Requests that fail, one for each status that can be had without a fault. */
export async function failRequests({ call }: Recorder, publishableKey: string): Promise<void> {
  await call("createCharge", { body: { amount: 10, currency: "usd", source: "tok_visa" } });
  await call("listCharges", { key: "sk_test_ThisIsNotAKey1234" });
  await call("createCharge", { body: { amount: 2_000, currency: "usd", source: declined } });
  await call("listCharges", { key: publishableKey });
  await call("retrieveCharge", { id: "ch_none" });
  // As many cards as an address may give in a minute, and one more.
  for (let count = 0; count <= 20; count += 1) await call("createToken", { body: { card }, key: publishableKey });
}
