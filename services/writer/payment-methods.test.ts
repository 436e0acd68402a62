import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { card, refusal } from "./testing-steps.ts";

const { setup, rows, liveAccountId } = await startTestWriter();

test("createToken answers the same request with the same token, and stores one card", async () => {
  const { writer, key } = setup();
  const request = () => ({
    ...fixed,
    token: { tokenId: createId("tok_"), paymentMethod: { paymentMethodId: createId("card_"), card: card() } },
    sealedCard: new Uint8Array([7]),
  });
  const fixed = key();
  const [one, two] = [await writer.createToken(request()), await writer.createToken(request())];
  expect(one.token).toMatchObject({ paymentMethod: { card: { last4: "4242" } } });
  expect(two.token).toEqual(one.token);
  expect([one.isReplayed, two.isReplayed]).toEqual([false, true]);
});

test("createPaymentMethod keeps a card that belongs to nobody, with what the bank said of it", async () => {
  const { writer, key } = setup();
  const paymentMethod = {
    paymentMethodId: createId("pm_"),
    card: card(),
    verificationDecline: { reason: "expired_card", responseCode: "54" },
    billingDetails: { name: "N", address: { city: "C" } },
    metadata: { a: "1" },
  };
  const answer = await writer.createPaymentMethod({ ...key(), paymentMethod, sealedCard: new Uint8Array([7]) });
  expect(answer.paymentMethod).toMatchObject({ ...paymentMethod, customerId: "" });
});

test("attachPaymentMethod refuses a card of another customer, a declined one, and what is not there", async () => {
  const { writer, key, createPayer } = setup();
  const [one, two] = [await createPayer(), await createPayer()];
  const attach = (change: object) =>
    refusal(writer.attachPaymentMethod({ ...key(), customerId: one.customerId, ...change }));
  expect(await attach({ paymentMethodId: two.paymentMethodId })).toMatchObject({
    reason: "PAYMENT_METHOD_ALREADY_ATTACHED",
  });
  expect(await attach({ paymentMethodId: "pm_none" })).toMatchObject({ reason: "PAYMENT_METHOD_NOT_FOUND" });
  expect(await attach({ tokenId: "tok_none" })).toMatchObject({ reason: "TOKEN_NOT_FOUND" });
  expect(await attach({ customerId: "cus_none", paymentMethodId: "pm_none" })).toMatchObject({
    reason: "CUSTOMER_NOT_FOUND",
  });
  const declined = { paymentMethodId: createId("pm_"), card: card(), verificationDecline: { reason: "expired_card" } };
  await writer.createPaymentMethod({ ...key(), paymentMethod: declined, sealedCard: new Uint8Array([7]) });
  const answer = await attach({ paymentMethodId: declined.paymentMethodId });
  expect(answer).toMatchObject({ reason: "CARD_DECLINED", field: "expired_card" });
});

test("attachPaymentMethod leaves a card where it is, and makes it the default when told to", async () => {
  const { writer, key, createPayer, createToken } = setup();
  const { customerId, paymentMethodId } = await createPayer();
  const { tokenId, ...second } = await createToken();
  await writer.attachPaymentMethod({ ...key(), customerId, tokenId, isDefault: true });
  const defaults = () =>
    rows<{ default_payment_method_id: string; is_default_from_source: boolean }>(
      "select default_payment_method_id, is_default_from_source from customer where customer_id = $1",
      customerId,
    );
  expect(await defaults()).toEqual([
    { default_payment_method_id: second.paymentMethodId, is_default_from_source: true },
  ]);
  const again = await writer.attachPaymentMethod({ ...key(), customerId, paymentMethodId, isDefault: true });
  expect(again.paymentMethod?.customerId).toBe(customerId);
  expect(await defaults()).toEqual([{ default_payment_method_id: paymentMethodId, is_default_from_source: false }]);
});

test("attachPaymentMethod refuses a customer that was deleted, and the token stays unused", async () => {
  const { writer, key, createPayer, createToken } = setup();
  const { customerId } = await createPayer();
  await writer.deleteCustomer({ ...key(), customerId });
  const { tokenId } = await createToken();
  const attach = writer.attachPaymentMethod({ ...key(), customerId, tokenId });
  expect(await refusal(attach)).toMatchObject({ code: Code.FailedPrecondition, reason: "CUSTOMER_DELETED" });
  expect(await rows("select use_time from token where token_id = $1", tokenId)).toEqual([{ use_time: null }]);
});

test("detachPaymentMethod takes the default away with the card", async () => {
  const { writer, key, createPayer } = setup();
  const { customerId, paymentMethodId } = await createPayer();
  const { paymentMethod } = await writer.detachPaymentMethod({ ...key(), paymentMethodId });
  expect(paymentMethod?.customerId).toBe("");
  expect(paymentMethod?.detachTime).toBeDefined();
  const { customer } = await writer.updateCustomer({ ...key(), customer: { customerId } });
  expect(customer?.defaultPaymentMethodId).toBe("");
  const again = writer.detachPaymentMethod({ ...key(), paymentMethodId });
  expect(await refusal(again)).toMatchObject({ reason: "PAYMENT_METHOD_NOT_ATTACHED" });
  const none = writer.detachPaymentMethod({ ...key(), paymentMethodId: "pm_none" });
  expect(await refusal(none)).toMatchObject({ code: Code.NotFound, reason: "PAYMENT_METHOD_NOT_FOUND" });
});

test("another account's customers, cards and tokens are not there", async () => {
  const { writer, key, createPayer, createToken } = setup();
  const { customerId, paymentMethodId } = await createPayer();
  const { tokenId } = await createToken();
  const theirs = () => ({ ...key(), accountId: liveAccountId });
  const reasons = await Promise.all(
    [
      writer.updateCustomer({ ...theirs(), customer: { customerId } }),
      writer.deleteCustomer({ ...theirs(), customerId }),
      writer.detachPaymentMethod({ ...theirs(), paymentMethodId }),
      writer.createCustomer({ ...theirs(), customer: { customerId: createId("cus_"), invoicePrefix: "ABC" }, tokenId }),
    ].map(refusal),
  );
  expect(reasons.map((refused) => refused?.reason)).toEqual([
    "CUSTOMER_NOT_FOUND",
    "CUSTOMER_NOT_FOUND",
    "PAYMENT_METHOD_NOT_FOUND",
    "TOKEN_NOT_FOUND",
  ]);
});
