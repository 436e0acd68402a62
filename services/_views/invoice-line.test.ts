import { expect, test } from "vitest";
import type { InvoiceLine } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { invoiceLineView } from "./invoice-line.ts";
import { sampleInvoice, sampleInvoiceLine } from "./testing-billing.ts";

const oneOff = {
  priceId: "",
  productId: "",
  subscriptionItemId: "",
  subscriptionId: "",
  invoiceItemId: "ii_1",
} as const;

test("a line of a subscription knows its item, its price and its plan", () => {
  expect(view()).toMatchObject({
    type: "subscription",
    parent: { type: "subscription_item_details", subscription_item_details: { subscription_item: "si_1" } },
    pricing: { price_details: { price: "price_1", product: "prod_1" }, unit_amount_decimal: "1000" },
    price: { id: "price_1", unit_amount: 1000 },
    plan: { id: "price_1", amount: 1000 },
  });
});

test("a line of an invoice item knows the item, and has no plan", () => {
  expect(view({ ...oneOff, priceId: "price_2", productId: "prod_2" })).toMatchObject({
    type: "invoiceitem",
    invoice_item: "ii_1",
    parent: { type: "invoice_item_details", invoice_item_details: { invoice_item: "ii_1", subscription: null } },
    price: { id: "price_2" },
    plan: null,
    subscription: null,
  });
});

test("a line of an item that a subscription made names both", () => {
  const line = view({ invoiceItemId: "ii_1" });
  expect(line.parent?.subscription_item_details).toMatchObject({ invoice_item: "ii_1", subscription_item: "si_1" });
  expect(line.type).toBe("invoiceitem");
});

test("one unit of a bare amount costs that amount, a credit too", () => {
  const line = bare({ ...oneOff, quantity: 1n, amountMinor: -500n, invoiceItemId: "" });
  expect(line).toMatchObject({ amount: -500, parent: null, price: null, plan: null, type: "invoiceitem" });
  expect(line.pricing).toEqual({ type: "price_details", unit_amount_decimal: "-500" });
});

test("what a unit costs is not guessed from the amount of many, or of a price", () => {
  expect(bare({ ...oneOff, quantity: 2n }).pricing?.unit_amount_decimal).toBeNull();
  const priced = bare({ quantity: 1n });
  expect(priced.pricing?.unit_amount_decimal).toBeNull();
  expect(priced).toMatchObject({ price: { unit_amount: null }, plan: { amount: null, amount_decimal: null } });
});

test("a one-off covers the moment at which its invoice was made", () => {
  const { periodStartTime: _, periodEndTime: __, ...line } = sampleInvoiceLine();
  expect(invoiceLineView(line, sampleInvoice()).period).toEqual({ end: 1767225600, start: 1767225600 });
});

function view(given: Partial<InvoiceLine> = {}) {
  return invoiceLineView(sampleInvoiceLine(given), sampleInvoice());
}

function bare(given: Partial<InvoiceLine>) {
  const { unitAmountMinor: _, ...line } = sampleInvoiceLine(given);
  return invoiceLineView(line, sampleInvoice());
}
