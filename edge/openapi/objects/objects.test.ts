import fc from "fast-check";
import { expect, test } from "vitest";
import { ChargeSchema } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { CustomerSchema } from "../../../gen/tripe/billing/v1/customer_pb.ts";
import { type Event, EventSchema } from "../../../gen/tripe/billing/v1/event_pb.ts";
import { InvoiceItemSchema, InvoicePaymentSchema, InvoiceSchema } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { LedgerTransferSchema } from "../../../gen/tripe/billing/v1/ledger_pb.ts";
import { PaymentMethodSchema, TokenSchema } from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import { PriceSchema, ProductSchema } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { ReturnSchema } from "../../../gen/tripe/billing/v1/return_pb.ts";
import { SubscriptionSchema } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import { WebhookEndpointSchema } from "../../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import { anyMessage } from "../../../services/_views/arbitrary.ts";
import { sourceView } from "../../../services/_views/card.ts";
import { chargeView } from "../../../services/_views/charge.ts";
import { customerView } from "../../../services/_views/customer.ts";
import { eventView } from "../../../services/_views/event.ts";
import { invoiceView } from "../../../services/_views/invoice.ts";
import { invoiceItemView } from "../../../services/_views/invoice-item.ts";
import { invoicePaymentView } from "../../../services/_views/invoice-payment.ts";
import { ledgerTransferView } from "../../../services/_views/ledger-transfer.ts";
import { listView } from "../../../services/_views/list.ts";
import { paymentMethodView } from "../../../services/_views/payment-method.ts";
import { priceView } from "../../../services/_views/price.ts";
import { productView } from "../../../services/_views/product.ts";
import { returnView } from "../../../services/_views/return.ts";
import { subscriptionView } from "../../../services/_views/subscription.ts";
import {
  withKnownInvoice,
  withKnownItem,
  withKnownNoun,
  withKnownPayment,
  withKnownPrice,
  withKnownSubscription,
  withRealSums,
} from "../../../services/_views/testing-known.ts";
import { tokenView } from "../../../services/_views/token.ts";
import { webhookEndpointView } from "../../../services/_views/webhook-endpoint.ts";
import { createChecker } from "../testing/checker.ts";
import { objectSchemas } from "./objects.ts";

// What a real Tripe answers is held in answers.test.ts; here whatever a view can make of any message.
const checker = createChecker({ components: { schemas: objectSchemas } });
const page = { data: [], hasMore: false, url: "/v1/of" };

const views: Record<string, fc.Arbitrary<object>> = {
  BalanceTransaction: anyMessage(LedgerTransferSchema).map((noun) => ledgerTransferView(noun)),
  Card: anyMessage(PaymentMethodSchema).map(sourceView),
  Charge: anyMessage(ChargeSchema).map((noun) => chargeView(withRealSums(noun), { refunds: listView(page) })),
  Customer: anyMessage(CustomerSchema).map((noun) => customerView(noun, { sources: listView(page) })),
  Event: anyMessage(EventSchema).map((noun) => eventView(withKnownWords(withKnownNoun(noun)))),
  Invoice: anyMessage(InvoiceSchema).map((noun) =>
    invoiceView(withKnownInvoice(noun), { payments: listView(page), invoicePdfUrl: "https://pay.example.com/in_1" }),
  ),
  InvoiceItem: anyMessage(InvoiceItemSchema).map((noun) => invoiceItemView(withKnownItem(noun))),
  InvoicePayment: anyMessage(InvoicePaymentSchema).map((noun) => invoicePaymentView(withKnownPayment(noun))),
  PaymentMethod: anyMessage(PaymentMethodSchema).map((noun) => paymentMethodView(noun)),
  Price: anyMessage(PriceSchema).map((noun) => priceView(withKnownPrice(noun))),
  Product: anyMessage(ProductSchema).map((noun) => productView(noun)),
  // The edge takes three reasons, and no other text.
  Refund: anyMessage(ReturnSchema).map((noun) => returnView({ ...noun, reason: "" })),
  Subscription: anyMessage(SubscriptionSchema).map((noun) => subscriptionView(withKnownSubscription(noun))),
  Token: anyMessage(TokenSchema).map(tokenView),
  WebhookEndpoint: anyMessage(WebhookEndpointSchema).map((noun) => webhookEndpointView(noun, "whsec_1")),
};

/** An event's type and a refund's reason are words of a list, and no other text. */
function withKnownWords(event: Event): Event {
  for (const { noun } of [event.snapshot, event.previous].filter((one) => one !== undefined)) {
    if (noun.case === "return") noun.value.reason = "";
  }
  return { ...event, type: "charge.succeeded" };
}

test.each(Object.entries(views))("%s: whatever its view makes is what its schema says", (name, anyView) => {
  fc.assert(
    fc.property(anyView, (view) => {
      expect(checker.checkObject(name, JSON.parse(JSON.stringify(view)))).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test.each(Object.entries(views))("%s: its schema has no field that its view never makes", (name, anyView) => {
  const seen = new Set(fc.sample(anyView, { numRuns: 50, seed: 1 }).flatMap((view) => Object.keys(view)));
  expect(Object.keys(Object(objectSchemas[name]).properties).filter((field) => !seen.has(field))).toEqual([]);
});
