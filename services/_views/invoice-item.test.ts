import { expect, test } from "vitest";
import { customerView } from "./customer.ts";
import { invoiceView } from "./invoice.ts";
import { invoiceItemView } from "./invoice-item.ts";
import { golden, sampleCustomer } from "./testing.ts";
import { sampleInvoice, sampleInvoiceItem } from "./testing-billing.ts";

test("a pending invoice item shows as in the golden file", () => {
  expect(JSON.stringify(invoiceItemView(sampleInvoiceItem()))).toBe(golden("invoice-item"));
});

test("an item of a bare amount has no price, and one unit costs the amount", () => {
  const { unitAmountMinor: _, ...item } = sampleInvoiceItem({ quantity: 1n, priceId: "", productId: "" });
  expect(invoiceItemView(item)).toMatchObject({
    price: null,
    pricing: { unit_amount_decimal: "2000" },
    unit_amount: 2000,
    unit_amount_decimal: "2000",
  });
});

test("its customer and the invoice that took it are expanded when they were asked for", () => {
  const item = sampleInvoiceItem({ invoiceId: "in_1" });
  expect(invoiceItemView(item).invoice).toBe("in_1");
  expect(invoiceItemView(item, { customer: sampleCustomer(), invoice: sampleInvoice() })).toMatchObject({
    customer: customerView(sampleCustomer()),
    invoice: invoiceView(sampleInvoice()),
  });
});

test("an item for nobody is not shown", () => {
  expect(() => invoiceItemView(sampleInvoiceItem({ customerId: "" }))).toThrow("always belongs to");
});
