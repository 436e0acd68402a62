import { create } from "@bufbuild/protobuf";
import type Stripe from "stripe";
import { expect, test } from "vitest";
import { EventSchema, type Snapshot, SnapshotSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import { eventTypes, matchEventTypes } from "../_runtime/event-types.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { eventView } from "./event.ts";
import { invoiceView } from "./invoice.ts";
import { invoiceItemView } from "./invoice-item.ts";
import { paymentMethodView } from "./payment-method.ts";
import { priceView } from "./price.ts";
import { productView } from "./product.ts";
import { returnView } from "./return.ts";
import { subscriptionView } from "./subscription.ts";
import { sampleCharge, sampleCustomer, samplePaymentMethod, sampleReturn, sampleToken } from "./testing.ts";
import { sampleInvoice, sampleInvoiceItem, samplePrice, sampleProduct, sampleSubscription } from "./testing-billing.ts";
import { tokenView } from "./token.ts";

const nouns: [Snapshot["noun"], object][] = [
  [{ case: "charge", value: sampleCharge() }, chargeView(sampleCharge())],
  [{ case: "customer", value: sampleCustomer() }, customerView(sampleCustomer())],
  [{ case: "paymentMethod", value: samplePaymentMethod() }, paymentMethodView(samplePaymentMethod())],
  [{ case: "return", value: sampleReturn() }, returnView(sampleReturn())],
  [{ case: "token", value: sampleToken() }, tokenView(sampleToken())],
  [{ case: "product", value: sampleProduct() }, productView(sampleProduct())],
  [{ case: "price", value: samplePrice() }, priceView(samplePrice())],
  [{ case: "invoice", value: sampleInvoice() }, invoiceView(sampleInvoice())],
  [{ case: "invoiceItem", value: sampleInvoiceItem() }, invoiceItemView(sampleInvoiceItem())],
  [{ case: "subscription", value: sampleSubscription() }, subscriptionView(sampleSubscription())],
];

test.each(nouns)("an event wraps its noun as it was: $case", (noun, object) => {
  expect(eventView(event(noun), { pendingWebhooks: 2 })).toEqual({
    id: "evt_1",
    object: "event",
    api_version: "2026-10-28.endive",
    created: 1767225600,
    data: { object },
    livemode: true,
    pending_webhooks: 2,
    request: { id: "req_1", idempotency_key: null },
    type: "charge.succeeded",
  });
});

test("an event of an update shows what was before, as the API showed it", () => {
  const after = sampleCustomer();
  const before = { ...after, email: "old@example.com", metadata: { ...after.metadata, gone: "1" } };
  const noun = { case: "customer", value: after } as const;
  const updated = { ...event(noun), previous: create(SnapshotSchema, { noun: { case: "customer", value: before } }) };
  expect(eventView(updated).data).toEqual({
    object: customerView(after),
    previous_attributes: { email: "old@example.com", metadata: { gone: "1" } },
  });
});

test("every type of event is one of Stripe's", () => {
  // The compiler checks it: a type the SDK does not know fails here.
  const known: readonly Stripe.WebhookEndpointCreateParams.EnabledEvent[] = eventTypes;
  expect(new Set(known).size).toBe(known.length);
});

test("words mean types: one itself, a group, or all", () => {
  expect(matchEventTypes(["refund.created", "price.*", "nothing", "coupon.*"])).toEqual([
    "price.created",
    "price.updated",
    "refund.created",
  ]);
  expect(matchEventTypes(["charge.refund.*"])).toEqual(["charge.refund.updated"]);
  expect(matchEventTypes(["*"])).toEqual(eventTypes);
});

test("an event of an invoice links its PDF for those who know where that is", () => {
  const invoicePdfUrl = "https://example.com/v1/invoices/in_1/pdf";
  const view = eventView(event({ case: "invoice", value: sampleInvoice() }), { invoicePdfUrl });
  expect(view.data.object).toEqual(invoiceView(sampleInvoice(), { invoicePdfUrl }));
});

test("an event without a noun is not shown", () => {
  expect(() => eventView(event({ case: undefined }))).toThrow("a snapshot holds a noun");
  const { snapshot: _, ...bare } = event({ case: undefined });
  expect(() => eventView(bare)).toThrow("an event has a snapshot");
});

function event(noun: Snapshot["noun"]) {
  return create(EventSchema, {
    eventId: "evt_1",
    type: "charge.succeeded",
    snapshot: { noun },
    requestId: "req_1",
    createTime: { seconds: 1767225600n },
    isLive: true,
  });
}
