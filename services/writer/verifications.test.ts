import { expect, test } from "vitest";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { card, refusal } from "./testing-steps.ts";

const { setup, accountId, liveAccountId, asOwner } = await startTestWriter();
const { writer, key } = setup();
const sealedCard = new Uint8Array(56).fill(1);
const sealedCvc = new Uint8Array(37).fill(2);

async function createUnverified() {
  const paymentMethodId = createId("card_");
  const paymentMethod = { paymentMethodId, card: { ...card(), cvcCheck: CheckResult.UNCHECKED } };
  const token = { tokenId: createId("tok_"), paymentMethod };
  const made = await writer.createToken({ ...key(), token, sealedCard, sealedCvc });
  expect(made.token?.paymentMethod?.isVerificationDue).toBe(true);
  return { accountId, paymentMethodId, tokenId: token.tokenId };
}

async function createCustomer() {
  const customerId = createId("cus_");
  await writer.createCustomer({ ...key(), customer: { customerId, invoicePrefix: "ABC" } });
  return customerId;
}

test("a card that is to be verified is attached only after that, and its CVC is erased with it", async () => {
  const { paymentMethodId, tokenId } = await createUnverified();
  const customerId = await createCustomer();
  const attach = () => writer.attachPaymentMethod({ ...key(), customerId, tokenId });
  expect(await refusal(attach())).toMatchObject({ reason: "VERIFICATION_DUE", field: paymentMethodId });
  const one = { accountId, paymentMethodId };
  const begun = await writer.beginVerification(one);
  expect([begun.isDue, new Uint8Array(begun.sealedCvc)]).toEqual([true, sealedCvc]);
  expect((await writer.beginVerification({ ...one, accountId: liveAccountId })).isDue).toBe(false);
  await writer.settleVerification({ ...one, cvcCheck: CheckResult.PASS });
  // The answer that comes second changes nothing.
  const verificationDecline = { reason: "generic_decline", responseCode: "05" };
  await writer.settleVerification({ ...one, cvcCheck: CheckResult.FAIL, verificationDecline });
  const { paymentMethod } = await attach();
  expect(paymentMethod).toMatchObject({ customerId, isVerificationDue: false, card: { cvcCheck: CheckResult.PASS } });
  expect(await writer.beginVerification(one)).toMatchObject({ isDue: false, sealedCvc: new Uint8Array() });
});

test("a card that the bank declines at its first use is not attached", async () => {
  const { paymentMethodId, tokenId } = await createUnverified();
  const verificationDecline = { reason: "lost_card", responseCode: "41" };
  await writer.settleVerification({ accountId, paymentMethodId, cvcCheck: CheckResult.PASS, verificationDecline });
  const attach = writer.attachPaymentMethod({ ...key(), customerId: await createCustomer(), tokenId });
  expect(await refusal(attach)).toMatchObject({ reason: "CARD_DECLINED", field: "lost_card" });
});

test("a CVC that was not used within an hour is erased, and the card is used without", async () => {
  const [late, fresh] = [await createUnverified(), await createUnverified()];
  const age =
    "update payment_method set create_time = create_time - interval '61 minutes' where payment_method_id = $1";
  await asOwner(age, late.paymentMethodId);
  expect((await writer.eraseSealedCvcs({})).erasedCount).toBe(1);
  expect((await writer.beginVerification(late)).isDue).toBe(false);
  expect((await writer.beginVerification(fresh)).isDue).toBe(true);
  const customerId = await createCustomer();
  const { paymentMethod } = await writer.attachPaymentMethod({ ...key(), customerId, tokenId: late.tokenId });
  expect(paymentMethod?.card?.cvcCheck).toBe(CheckResult.UNCHECKED);
});
