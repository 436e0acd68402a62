import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { CustomerSchema } from "../../gen/tripe/billing/v1/customer_pb.ts";
import { EventSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import { InvoiceItemSchema, InvoicePaymentSchema, InvoiceSchema } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { LedgerTransferSchema } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import { PaymentMethodSchema, TokenSchema } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { PriceSchema, ProductSchema } from "../../gen/tripe/billing/v1/product_pb.ts";
import { ReturnSchema } from "../../gen/tripe/billing/v1/return_pb.ts";
import { SubscriptionSchema } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { anyMessage } from "./arbitrary.ts";
import { sourceView } from "./card.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { eventView } from "./event.ts";
import { invoiceView } from "./invoice.ts";
import { invoiceItemView } from "./invoice-item.ts";
import { invoicePaymentView } from "./invoice-payment.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import { paymentMethodView } from "./payment-method.ts";
import { priceView } from "./price.ts";
import { productView } from "./product.ts";
import { returnView } from "./return.ts";
import { subscriptionView } from "./subscription.ts";
import {
  withKnownInvoice,
  withKnownItem,
  withKnownNoun,
  withKnownPayment,
  withKnownPrice,
  withKnownSubscription,
  withRealSums,
} from "./testing-known.ts";
import { tokenView } from "./token.ts";

const anyCharge = anyMessage(ChargeSchema).map(withRealSums);
const anyInvoice = anyMessage(InvoiceSchema).map(withKnownInvoice);
const anyInvoiceItem = anyMessage(InvoiceItemSchema).map(withKnownItem);
const anyInvoicePayment = anyMessage(InvoicePaymentSchema).map(withKnownPayment);
const anyPrice = anyMessage(PriceSchema).map(withKnownPrice);
const anySubscription = anyMessage(SubscriptionSchema).map(withKnownSubscription);
const anyEvent = anyMessage(EventSchema).map(withKnownNoun);

/** Each view with any message of its noun, and the same message after a trip through its bytes, its map keys reversed. */
const views = [
  ["chargeView", anyCharge.map((noun) => [chargeView(noun), chargeView(travelled(ChargeSchema, noun))])],
  [
    "customerView",
    anyMessage(CustomerSchema).map((noun) => [customerView(noun), customerView(travelled(CustomerSchema, noun))]),
  ],
  [
    "paymentMethodView",
    anyMessage(PaymentMethodSchema).map((noun) => [
      paymentMethodView(noun),
      paymentMethodView(travelled(PaymentMethodSchema, noun)),
    ]),
  ],
  [
    "sourceView",
    anyMessage(PaymentMethodSchema).map((noun) => [sourceView(noun), sourceView(travelled(PaymentMethodSchema, noun))]),
  ],
  ["tokenView", anyMessage(TokenSchema).map((noun) => [tokenView(noun), tokenView(travelled(TokenSchema, noun))])],
  ["returnView", anyMessage(ReturnSchema).map((noun) => [returnView(noun), returnView(travelled(ReturnSchema, noun))])],
  [
    "ledgerTransferView",
    anyMessage(LedgerTransferSchema).map((noun) => [
      ledgerTransferView(noun),
      ledgerTransferView(travelled(LedgerTransferSchema, noun)),
    ]),
  ],
  [
    "productView",
    anyMessage(ProductSchema).map((noun) => [productView(noun), productView(travelled(ProductSchema, noun))]),
  ],
  ["priceView", anyPrice.map((noun) => [priceView(noun), priceView(travelled(PriceSchema, noun))])],
  ["invoiceView", anyInvoice.map((noun) => [invoiceView(noun), invoiceView(travelled(InvoiceSchema, noun))])],
  [
    "invoiceItemView",
    anyInvoiceItem.map((noun) => [invoiceItemView(noun), invoiceItemView(travelled(InvoiceItemSchema, noun))]),
  ],
  [
    "invoicePaymentView",
    anyInvoicePayment.map((noun) => [
      invoicePaymentView(noun),
      invoicePaymentView(travelled(InvoicePaymentSchema, noun)),
    ]),
  ],
  [
    "subscriptionView",
    anySubscription.map((noun) => [subscriptionView(noun), subscriptionView(travelled(SubscriptionSchema, noun))]),
  ],
  ["eventView", anyEvent.map((noun) => [eventView(noun), eventView(travelled(EventSchema, noun))])],
] as const;

test.each(views)("%s gives the same bytes for the same snapshot, whatever is in it", (_name, anyPair) => {
  fc.assert(
    fc.property(anyPair, ([first, second]) => {
      expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    }),
  );
});

test.each(views)(
  "%s holds nothing that JSON would drop or change, and no empty text but a given one",
  (_name, anyPair) => {
    fc.assert(
      fc.property(anyPair, ([view]) => {
        expect(JSON.parse(JSON.stringify(view))).toStrictEqual(view);
      }),
    );
  },
);

test("metadata keeps every key, also those that mean something to JavaScript", () => {
  const metadata = Object.fromEntries([
    ["toString", "1"],
    ["__proto__", "2"],
    ["2", "3"],
    ["", "4"],
  ]);
  const view = customerView(travelled(CustomerSchema, { ...sampleOf(CustomerSchema), metadata }));
  expect(Object.entries(view.metadata).sort()).toEqual(Object.entries(metadata).sort());
});

test("a view does not change the noun it shows", () => {
  fc.assert(
    fc.property(anyCharge, (charge) => {
      const before = toBinary(ChargeSchema, charge);
      chargeView(charge);
      expect(toBinary(ChargeSchema, charge)).toEqual(before);
    }),
  );
});

function sampleOf(schema: typeof CustomerSchema) {
  const [sample] = fc.sample(anyMessage(schema), { numRuns: 1, seed: 1 });
  if (sample === undefined) throw new Error("fast-check makes a sample");
  return sample;
}

/** The message as another process would get it, with the keys of its metadata in another order. */
function travelled<Desc extends Parameters<typeof anyMessage>[0]>(
  schema: Desc,
  message: Parameters<typeof toBinary<Desc>>[1],
) {
  const copy = fromBinary(schema, toBinary(schema, message));
  if ("metadata" in copy && typeof copy.metadata === "object" && copy.metadata !== null) {
    copy.metadata = Object.fromEntries(Object.entries(copy.metadata).reverse());
  }
  return copy;
}
