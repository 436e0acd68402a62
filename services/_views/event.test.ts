import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EventSchema, type Snapshot } from "../../gen/tripe/billing/v1/event_pb.ts";
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
