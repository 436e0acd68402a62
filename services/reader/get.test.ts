import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { LedgerTransferKind } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { refusal, startTestReader } from "./testing.ts";

const { reader, accountId, liveAccountId, rowsOf, sql, statements } = await startTestReader();

/** One of everything, of one account. */
async function setup(of = accountId) {
  const rows = rowsOf(of);
  const customerId = await rows.customer({ email: "a@example.com" });
  const paymentMethodId = await rows.paymentMethod({ customerId });
  const tokenId = await rows.token(paymentMethodId);
  const charge = await rows.charge(paymentMethodId, { customerId });
  const back = await rows.return(charge);
  statements.length = 0;
  return { customerId, paymentMethodId, tokenId, ...charge, returnId: back.returnId, back };
}

test("getAccount finds the account that asks", async () => {
  const { account } = await reader.getAccount({ accountId });
  expect(account).toMatchObject({ accountId, isLive: false, name: "Tripe", defaultCurrencyCode: "USD" });
  expect((await reader.getAccount({ accountId: liveAccountId })).account?.isLive).toBe(true);
});

test("getCustomer, getPaymentMethod and getToken find what was stored, without the sealed card", async () => {
  const { customerId, paymentMethodId, tokenId } = await setup();
  const { customer } = await reader.getCustomer({ accountId, customerId });
  expect(customer).toMatchObject({ customerId, email: "a@example.com", metadata: { k: "v" }, isLive: false });
  const { paymentMethod } = await reader.getPaymentMethod({ accountId, paymentMethodId });
  expect(paymentMethod).toMatchObject({
    paymentMethodId,
    customerId,
    card: { last4: "4242", cvcCheck: CheckResult.PASS },
    billingDetails: { name: "B" },
  });
  const { token } = await reader.getToken({ accountId, tokenId });
  expect(token).toMatchObject({ tokenId, paymentMethod });
  expect(token?.useTime).toBeUndefined();
});

test("getCharge and getReturn find what was stored, with the card and the booking", async () => {
  const { customerId, chargeId, ledgerTransferId, returnId, back } = await setup();
  expect((await reader.getCharge({ accountId, chargeId })).charge).toMatchObject({
    chargeId,
    customerId,
    ledgerTransferId,
    state: ChargeState.SUCCEEDED,
    amount: { amountMinor: 2000n, currencyCode: "USD" },
    card: { last4: "4242" },
    billingDetails: { name: "B" },
  });
  expect((await reader.getReturn({ accountId, returnId })).return).toMatchObject({
    chargeId,
    state: ReturnState.SUCCEEDED,
    amount: { amountMinor: 500n },
    ledgerTransferId: back.ledgerTransferId,
  });
});

test("getLedgerTransfer folds the entries: what the bank moved, and what Tripe kept", async () => {
  const { ledgerTransferId, chargeId, returnId, back } = await setup();
  expect((await reader.getLedgerTransfer({ accountId, ledgerTransferId })).ledgerTransfer).toMatchObject({
    kind: LedgerTransferKind.CHARGE,
    chargeId,
    grossMinor: 2000n,
    feeMinor: 88n,
    currencyCode: "USD",
  });
  const { ledgerTransfer } = await reader.getLedgerTransfer({ accountId, ledgerTransferId: back.ledgerTransferId });
  expect(ledgerTransfer).toMatchObject({ kind: LedgerTransferKind.RETURN, returnId, grossMinor: -500n, feeMinor: 0n });
});

const gets: Record<string, (key: Awaited<ReturnType<typeof setup>> & { accountId: string }) => Promise<unknown>> = {
  CUSTOMER: (key) => reader.getCustomer(key),
  PAYMENT_METHOD: (key) => reader.getPaymentMethod(key),
  TOKEN: (key) => reader.getToken(key),
  CHARGE: (key) => reader.getCharge(key),
  RETURN: (key) => reader.getReturn(key),
  LEDGER_TRANSFER: (key) => reader.getLedgerTransfer(key),
};

test.each(Object.entries(gets))(
  "a %s of another account is not there, nor is one that nobody has",
  async (noun, get) => {
    const [ours, theirs] = [await setup(), await setup(liveAccountId)];
    const notFound = { code: Code.NotFound, reason: `${noun}_NOT_FOUND`, field: `${noun.toLowerCase()}_id` };
    expect(await refusal(get({ ...theirs, accountId }))).toMatchObject(notFound);
    expect(await refusal(get({ ...ours, accountId: liveAccountId }))).toMatchObject(notFound);
    const none = Object.fromEntries(Object.keys(ours).map((name) => [name, "none"]));
    expect(await refusal(get({ ...ours, ...none, accountId }))).toMatchObject(notFound);
    expect(await refusal(get({ ...ours, accountId }))).toBeUndefined();
  },
);

test("an account that is not there is refused: ACCOUNT_NOT_FOUND", async () => {
  const refused = await refusal(reader.getAccount({ accountId: "acct_none" }));
  expect(refused).toMatchObject({ code: Code.NotFound, reason: "ACCOUNT_NOT_FOUND" });
});

test("gets that arrive together are one statement, and each is answered with its own or refused for itself", async () => {
  const rows = rowsOf();
  const paymentMethodId = await rows.paymentMethod();
  const made = await Promise.all(Array.from({ length: 20 }, () => rows.charge(paymentMethodId)));
  statements.length = 0;
  const asked = [...made.map(({ chargeId }) => chargeId), made[0]?.chargeId ?? "", "ch_none"];
  const answers = await Promise.allSettled(asked.map((chargeId) => reader.getCharge({ accountId, chargeId })));
  const found = answers.map((one) => (one.status === "fulfilled" ? one.value.charge?.chargeId : "refused"));
  expect(found).toEqual([...asked.slice(0, -1), "refused"]);
  expect(statements).toEqual(["get_charge"]);
});

test("gets of two accounts share a statement, and neither sees the other's", async () => {
  const [ours, theirs] = [await setup(), await setup(liveAccountId)];
  statements.length = 0;
  const answers = await Promise.allSettled([
    reader.getCustomer({ accountId, customerId: ours.customerId }),
    reader.getCustomer({ accountId: liveAccountId, customerId: theirs.customerId }),
    reader.getCustomer({ accountId, customerId: theirs.customerId }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(statements).toEqual(["get_customer"]);
});

test("more than 256 gets at once are several statements, and all are answered", async () => {
  const { customerId } = await setup();
  const asked = Array.from({ length: 300 }, () => reader.getCustomer({ accountId, customerId }));
  expect(new Set((await Promise.all(asked)).map(({ customer }) => customer?.customerId))).toEqual(
    new Set([customerId]),
  );
  expect(statements).toEqual(["get_customer", "get_customer"]);
});

test("what is read once is read again the next time: nothing is kept", async () => {
  const { customerId } = await setup();
  await reader.getCustomer({ accountId, customerId });
  await sql("update customer set name = 'changed' where customer_id = $1", customerId);
  expect((await reader.getCustomer({ accountId, customerId })).customer?.name).toBe("changed");
});
