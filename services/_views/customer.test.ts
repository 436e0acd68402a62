import { expect, test } from "vitest";
import { sourceView } from "./card.ts";
import { customerOrDeletedView, customerView } from "./customer.ts";
import { listView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { golden, sampleCustomer, samplePaymentMethod } from "./testing.ts";

test("a customer shows as in the golden file", () => {
  expect(JSON.stringify(customerView(sampleCustomer()))).toBe(golden("customer"));
});

test("the default way to pay shows in one place: where it was given", () => {
  const asSource = customerView(sampleCustomer({ isDefaultFromSource: true, defaultPaymentMethodId: "card_1" }));
  expect(asSource).toMatchObject({ default_source: "card_1", invoice_settings: { default_payment_method: null } });
  const asMethod = customerView(sampleCustomer({ isDefaultFromSource: false }));
  expect(asMethod).toMatchObject({ default_source: null, invoice_settings: { default_payment_method: "pm_1" } });
});

test("a customer without anything shows nulls, not missing keys", () => {
  const bare = { email: "", name: "", phone: "", description: "", defaultPaymentMethodId: "", metadata: {} };
  const { address: _, shipping: __, ...customer } = sampleCustomer(bare);
  const view = customerView(customer);
  expect(view).toMatchObject({ email: null, name: null, phone: null, address: null, shipping: null, metadata: {} });
  expect(Object.keys(view)).toEqual(Object.keys(customerView(sampleCustomer())));
});

test("each default is expanded in its own shape, and the sources stand in a list", () => {
  const paymentMethod = samplePaymentMethod();
  const sources = listView({ url: "/v1/customers/cus_1/sources", data: [sourceView(paymentMethod)], hasMore: false });
  const asSource = sampleCustomer({ isDefaultFromSource: true });
  expect(customerView(asSource, { default_source: paymentMethod, sources })).toMatchObject({
    default_source: sourceView(paymentMethod),
    sources,
  });
  const expansions = { "invoice_settings.default_payment_method": paymentMethod };
  expect(customerView(sampleCustomer(), expansions).invoice_settings.default_payment_method).toEqual(
    paymentMethodView(paymentMethod),
  );
});

test("a deleted customer shows whole in its event and as gone everywhere else", () => {
  const customer = sampleCustomer();
  const deleted = { ...customer, deleteTime: customer.createTime };
  expect(customerView(deleted)).toEqual(customerView(customer));
  expect(JSON.stringify(customerOrDeletedView(deleted))).toBe('{"id":"cus_1","object":"customer","deleted":true}');
  expect(customerOrDeletedView(customer)).toEqual(customerView(customer));
});
