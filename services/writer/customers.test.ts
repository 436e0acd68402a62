import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createCall, runCall } from "../_runtime/call.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { refusal } from "./testing-steps.ts";

const { setup, rows } = await startTestWriter();

test("createCustomer attaches a token's card, makes it the default and uses the token up", async () => {
  const { writer, key, createPayer } = setup();
  const { customer, paymentMethodId, tokenId } = await createPayer();
  expect(customer).toMatchObject({ defaultPaymentMethodId: paymentMethodId, isDefaultFromSource: true });
  const again = writer.createCustomer({
    ...key(),
    customer: { customerId: createId("cus_"), invoicePrefix: "ABC" },
    tokenId,
  });
  expect(await refusal(again)).toMatchObject({ code: Code.FailedPrecondition, reason: "TOKEN_ALREADY_USED" });
});

test("createCustomer attaches a payment method that is named, and makes it the default only when told to", async () => {
  const { writer, key, createToken } = setup();
  const create = async (isDefault: boolean) => {
    const { paymentMethodId } = await createToken();
    const named = { invoicePrefix: "ABC", ...(isDefault && { defaultPaymentMethodId: paymentMethodId }) };
    const customer = { customerId: createId("cus_"), ...named };
    return { paymentMethodId, ...(await writer.createCustomer({ ...key(), customer, paymentMethodId })) };
  };
  const made = await create(true);
  expect(made.customer).toMatchObject({
    defaultPaymentMethodId: made.paymentMethodId,
    isDefaultFromSource: false,
  });
  expect((await create(false)).customer?.defaultPaymentMethodId).toBe("");
});

test("createCustomer refuses a default that is not attached, and leaves no customer behind", async () => {
  const { writer, key, createPayer } = setup();
  const { paymentMethodId } = await createPayer();
  const customer = { customerId: createId("cus_"), invoicePrefix: "ABC", defaultPaymentMethodId: paymentMethodId };
  const refused = await refusal(writer.createCustomer({ ...key(), customer }));
  expect(refused).toMatchObject({ code: Code.FailedPrecondition, reason: "PAYMENT_METHOD_NOT_ATTACHED" });
  expect(await rows("select 1 from customer where customer_id = $1", customer.customerId)).toEqual([]);
});

test("createCustomer answers the same request with the same customer, and refuses its id for another", async () => {
  const { writer, key } = setup();
  const request = {
    ...key(),
    customer: { customerId: createId("cus_"), email: "a@example.com", invoicePrefix: "ABC" },
  };
  const [first, second] = await Promise.all([
    writer.createCustomer(request),
    writer.createCustomer({ ...request, customer: { ...request.customer, customerId: createId("cus_") } }),
  ]);
  expect(first.customer).toEqual(second.customer);
  expect([first.isReplayed, second.isReplayed].sort()).toEqual([false, true]);
  const other = writer.createCustomer({ ...request, requestDigest: new Uint8Array([2]) });
  expect(await refusal(other)).toMatchObject({ code: Code.AlreadyExists, reason: "REQUEST_ID_REUSED" });
});

test("updateCustomer changes what the mask names and patches metadata key by key", async () => {
  const { writer, key, createPayer } = setup();
  const { customerId } = await createPayer();
  const { customer } = await writer.updateCustomer({
    ...key(),
    customer: { customerId, email: "b@example.com", name: "not in the mask" },
    updateMask: { paths: ["email"] },
    metadataPatch: { set: { a: "1", b: "2" } },
  });
  expect(customer).toMatchObject({ email: "b@example.com", name: "", metadata: { a: "1", b: "2" } });
  const patched = await writer.updateCustomer({
    ...key(),
    customer: { customerId },
    metadataPatch: { set: { c: "3" }, unset: ["a"] },
  });
  expect(patched.customer?.metadata).toEqual({ b: "2", c: "3" });
});

test("updateCustomer refuses a field that is not to be changed, and a fifty-first key", async () => {
  const { writer, key, createPayer } = setup();
  const { customerId } = await createPayer();
  const unknown = writer.updateCustomer({ ...key(), customer: { customerId }, updateMask: { paths: ["is_live"] } });
  expect(await refusal(unknown)).toMatchObject({ reason: "UPDATE_MASK_UNKNOWN" });
  const set = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "x"]));
  const patch = (count: number) =>
    writer.updateCustomer({ ...key(), customer: { customerId }, metadataPatch: { set: set(count) } });
  expect(Object.keys((await patch(50)).customer?.metadata ?? {})).toHaveLength(50);
  const full = writer.updateCustomer({ ...key(), customer: { customerId }, metadataPatch: { set: { one: "more" } } });
  expect(await refusal(full)).toMatchObject({ reason: "METADATA_TOO_MANY_KEYS" });
});

test("updateCustomer makes a token's card the default and uses the token up, in one commit", async () => {
  const { writer, key, createPayer, createToken } = setup();
  const { customerId } = await createPayer();
  const { tokenId, paymentMethodId } = await createToken();
  const { customer } = await writer.updateCustomer({ ...key(), customer: { customerId }, tokenId });
  expect(customer).toMatchObject({ defaultPaymentMethodId: paymentMethodId, isDefaultFromSource: true });
  const again = writer.updateCustomer({ ...key(), customer: { customerId }, tokenId });
  expect(await refusal(again)).toMatchObject({ reason: "TOKEN_ALREADY_USED" });
});

test("updateCustomer refuses a default of somebody else's, and a customer that is not there", async () => {
  const { writer, key, createPayer } = setup();
  const [one, two] = [await createPayer(), await createPayer()];
  const change = (customer: { customerId: string; defaultPaymentMethodId: string }) =>
    refusal(writer.updateCustomer({ ...key(), customer, updateMask: { paths: ["default_payment_method_id"] } }));
  const theirs = { customerId: one.customerId, defaultPaymentMethodId: two.paymentMethodId };
  expect(await change(theirs)).toMatchObject({ reason: "PAYMENT_METHOD_NOT_ATTACHED" });
  expect(await change({ ...theirs, customerId: "cus_none" })).toMatchObject({ reason: "CUSTOMER_NOT_FOUND" });
});

test("deleteCustomer keeps the customer with its delete_time, and detaches its cards for good", async () => {
  const { writer, key, createPayer } = setup();
  const { customerId, paymentMethodId } = await createPayer();
  const { customer } = await writer.deleteCustomer({ ...key(), customerId });
  expect(customer?.deleteTime).toBeDefined();
  expect(customer?.defaultPaymentMethodId).toBe("");
  expect(await refusal(writer.deleteCustomer({ ...key(), customerId }))).toMatchObject({ reason: "CUSTOMER_DELETED" });
  const other = await createPayer();
  const attach = writer.attachPaymentMethod({ ...key(), customerId: other.customerId, paymentMethodId });
  expect(await refusal(attach)).toMatchObject({ reason: "PAYMENT_METHOD_DETACHED" });
});

test("each change of a customer tells of itself with the customer as it then was", async () => {
  const { writer, key, createPayer } = setup();
  const { customerId } = await createPayer();
  const update = { ...key(), customer: { customerId, name: "N" }, updateMask: { paths: ["name"] } };
  const asked = createCall({ caller: "merchant", requestId: "req_1", clientKey: "order/1" });
  await runCall(asked, () => writer.updateCustomer(update));
  await writer.deleteCustomer({ ...key(), customerId });
  const events = await rows(
    "select type, public_request_id, idempotency_key from event where object_id = $1 order by event_id",
    customerId,
  );
  expect(events).toEqual([
    { type: "customer.created", public_request_id: "", idempotency_key: "" },
    { type: "customer.updated", public_request_id: "req_1", idempotency_key: "order/1" },
    { type: "customer.deleted", public_request_id: "", idempotency_key: "" },
  ]);
});
