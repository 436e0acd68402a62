import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { createId } from "../_runtime/ids.ts";
import { startTestReader } from "./testing.ts";

const { reader, accountId, liveAccountId, rowsOf, sql, statements } = await startTestReader();

/** A customer with a default card and a second one, and a token of a card that is nobody's. */
async function setup(of = accountId) {
  const rows = rowsOf(of);
  const customerId = await rows.customer();
  const [defaultId, secondId] = [await rows.paymentMethod({ customerId }), await rows.paymentMethod({ customerId })];
  await sql("update customer set default_payment_method_id = $2 where customer_id = $1", customerId, defaultId);
  const tokenCardId = await rows.paymentMethod();
  const tokenId = await rows.token(tokenCardId);
  statements.length = 0;
  return { customerId, defaultId, secondId, tokenId, tokenCardId };
}

const nobody = { accountId, customerId: "", paymentMethodId: "", tokenId: "" };

test("getPayer finds a customer with the default card, in one statement", async () => {
  const { customerId, defaultId } = await setup();
  const payer = await reader.getPayer({ ...nobody, customerId });
  expect(payer.customer).toEqual((await reader.getCustomer({ accountId, customerId })).customer);
  const { paymentMethod } = await reader.getPaymentMethod({ accountId, paymentMethodId: defaultId });
  expect(payer.paymentMethod).toEqual(paymentMethod);
  expect(payer.paymentMethod?.metadata).not.toEqual(payer.customer?.metadata);
  expect(payer.token).toBeUndefined();
  expect(statements.filter((name) => name === "get_payer")).toHaveLength(1);
});

test("payers asked for together share a statement, and each answer is its own request's", async () => {
  const [one, two] = [await setup(), await setup(liveAccountId)];
  const asked = [
    { ...nobody, customerId: one.customerId },
    { ...nobody, customerId: "cus_none" },
    { ...nobody, accountId: liveAccountId, customerId: two.customerId, paymentMethodId: two.secondId },
    { ...nobody, tokenId: one.tokenId },
    { ...nobody, customerId: one.customerId },
  ];
  const payers = await Promise.all(asked.map((request) => reader.getPayer(request)));
  expect(statements).toEqual(["get_payer"]);
  expect(
    payers.map(({ customer, paymentMethod, token }) => [
      customer?.customerId,
      paymentMethod?.paymentMethodId,
      token?.tokenId,
    ]),
  ).toEqual([
    [one.customerId, one.defaultId, undefined],
    [undefined, undefined, undefined],
    [two.customerId, two.secondId, undefined],
    [undefined, one.tokenCardId, one.tokenId],
    [one.customerId, one.defaultId, undefined],
  ]);
});

test("getPayer prefers the card that is named to the default, and the token's to both", async () => {
  const { customerId, secondId, tokenId, tokenCardId } = await setup();
  const named = await reader.getPayer({ ...nobody, customerId, paymentMethodId: secondId });
  expect(named.paymentMethod?.paymentMethodId).toBe(secondId);
  const byToken = await reader.getPayer({ ...nobody, customerId, paymentMethodId: secondId, tokenId });
  expect(byToken.paymentMethod?.paymentMethodId).toBe(tokenCardId);
  expect(byToken.token).toEqual((await reader.getToken({ accountId, tokenId })).token);
  expect(byToken.customer?.customerId).toBe(customerId);
});

test("getPayer finds a token or a card without a customer", async () => {
  const { secondId, tokenId, tokenCardId } = await setup();
  const byToken = await reader.getPayer({ ...nobody, tokenId });
  expect(byToken).toMatchObject({ token: { tokenId }, paymentMethod: { paymentMethodId: tokenCardId } });
  expect(byToken.customer).toBeUndefined();
  const byCard = await reader.getPayer({ ...nobody, paymentMethodId: secondId });
  expect(byCard.paymentMethod?.paymentMethodId).toBe(secondId);
});

test("getPayer leaves out what is not there, another account's above all", async () => {
  const theirs = await setup(liveAccountId);
  const { customerId, tokenId, secondId } = theirs;
  for (const asked of [
    { customerId, paymentMethodId: secondId, tokenId },
    { customerId: "cus_none", paymentMethodId: "pm_none", tokenId: "tok_none" },
    { customerId: "", paymentMethodId: "", tokenId: "" },
  ]) {
    const payer = await reader.getPayer({ accountId, ...asked });
    expect([payer.customer, payer.paymentMethod, payer.token]).toEqual([undefined, undefined, undefined]);
  }
});

test("getPayer shows a customer that was deleted as deleted, and a customer without a card without one", async () => {
  const rows = rowsOf();
  const customerId = await rows.customer();
  await sql("update customer set delete_time = statement_timestamp() where customer_id = $1", customerId);
  const payer = await reader.getPayer({ ...nobody, customerId });
  expect(payer.customer?.deleteTime).toBeDefined();
  expect(payer.paymentMethod).toBeUndefined();
});

test("getPayer says the time that its customer lives in", async () => {
  const businessTime = new Date("2031-02-03T04:05:06.789Z");
  const testClockId = createId("clock_");
  await sql("insert into test_clock values ($1, $2, $3, statement_timestamp())", accountId, testClockId, businessTime);
  const customerId = await rowsOf().customer({ testClockId });
  const payer = await reader.getPayer({ ...nobody, customerId });
  expect(payer.businessTime && timestampDate(payer.businessTime)).toEqual(businessTime);
  const [now] = await sql<{ time: Date }>("select statement_timestamp() as time");
  const { businessTime: usual } = await reader.getPayer(nobody);
  expect(usual && Math.abs(timestampDate(usual).getTime() - (now?.time.getTime() ?? 0))).toBeLessThan(60_000);
});
