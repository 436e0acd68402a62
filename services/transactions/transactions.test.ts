import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { createClient } from "../_database/connect-client.ts";
import { createId } from "../_runtime/ids.ts";
import { readStatement } from "../bank/sandbox/statement.ts";
import { startTestTripe } from "../testing.ts";

const tripe = await startTestTripe();
const { accountId } = tripe;

function setup() {
  const edge = tripe.clientsOf("edge");
  const key = () => ({ accountId, requestId: createId("req_"), requestDigest: new Uint8Array([1]) });
  return { edge, key };
}

async function createPayer({ edge, key }: ReturnType<typeof setup>, number: string) {
  const paymentMethodId = createId("card_");
  const tokenId = createId("tok_");
  const { sealedCard, card } = await edge.bank.sealCard({
    accountId,
    paymentMethodId,
    card: { number, expMonth: 12, expYear: 2040, cvc: "" },
  });
  const paymentMethod = { paymentMethodId, ...(card && { card }) };
  await edge.writer.createToken({ ...key(), token: { tokenId, paymentMethod }, sealedCard });
  const customerId = createId("cus_");
  await edge.writer.createCustomer({ ...key(), customer: { customerId, invoicePrefix: "ABC" }, tokenId });
  return { customerId, paymentMethodId };
}

async function charge(fixture: ReturnType<typeof setup>, number: string, requestId = createId("req_")) {
  const payer = await createPayer(fixture, number);
  const request = {
    ...fixture.key(),
    requestId,
    charge: { ...payer, amount: { amountMinor: 2000n, currencyCode: "USD" } },
  };
  const answer = await fixture.edge.transactions.createCharge(request);
  if (answer.charge === undefined) throw new Error("a charge is answered");
  return { request, isReplayed: answer.isReplayed, charge: answer.charge };
}

async function statementOf(...amounts: string[]) {
  const lines = [];
  for await (const line of readStatement(tripe.statementFile)) if (amounts.includes(line.bankRef)) lines.push(line);
  return lines;
}

async function sql<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
  const client = createClient({ url: tripe.database.urls.owner, name: "test" });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function attemptOf(chargeId: string) {
  const rows = await sql<{ bank_ref: string; state: string; tries: number }>(
    "select bank_ref, state, tries from attempt where charge_id = $1 and return_id is null",
    chargeId,
  );
  const [attempt] = rows;
  if (attempt === undefined) throw new Error("a charge has an attempt");
  return attempt;
}

test("createCharge takes the money once: the charge, the attempt and the bank's statement agree", async () => {
  const fixture = setup();
  const { charge: made, request } = await charge(fixture, "4242424242424242");
  expect(made).toMatchObject({ state: ChargeState.SUCCEEDED, capturedMinor: 2000n, card: { brand: "visa" } });
  const again = await fixture.edge.transactions.createCharge(request);
  expect(again).toMatchObject({ isReplayed: true, charge: { chargeId: made.chargeId } });
  const { bank_ref } = await attemptOf(made.chargeId);
  expect(await statementOf(bank_ref)).toMatchObject([{ kind: "purchase", amountMinor: 2000n, currencyCode: "USD" }]);
});

test("createCharge keeps a declined charge, with the bank's reason", async () => {
  const { charge: made } = await charge(setup(), "4000000000009995");
  expect(made).toMatchObject({ state: ChargeState.FAILED, decline: { reason: "insufficient_funds" } });
});

test("createReturn gives part of a charge back, once", async () => {
  const fixture = setup();
  const { charge: made } = await charge(fixture, "4242424242424242");
  const request = { ...fixture.key(), chargeId: made.chargeId, amountMinor: 500n };
  const { return: record } = await fixture.edge.transactions.createReturn(request);
  expect(record).toMatchObject({ state: ReturnState.SUCCEEDED, amount: { amountMinor: 500n } });
  const again = await fixture.edge.transactions.createReturn(request);
  expect(again).toMatchObject({ isReplayed: true, return: { returnId: record?.returnId } });
});

test("a bank that cannot be reached fails the charge, for not a byte was sent", async () => {
  const fixture = setup();
  const payer = await createPayer(fixture, "4242424242424242");
  await tripe.stopBank();
  try {
    const answer = await fixture.edge.transactions.createCharge({
      ...fixture.key(),
      charge: { ...payer, amount: { amountMinor: 2000n, currencyCode: "USD" } },
    });
    expect(answer.charge).toMatchObject({ state: ChargeState.FAILED, decline: { reason: "processing_error" } });
  } finally {
    await tripe.startBank();
  }
});

test("a bank service that dies leaves the charge pending, and the resolver ends it", async () => {
  const fixture = setup();
  const payer = await createPayer(fixture, "4242424242424242");
  await tripe.stopService("bank");
  const request = { ...fixture.key(), charge: { ...payer, amount: { amountMinor: 700n, currencyCode: "USD" } } };
  const { charge: pending } = await fixture.edge.transactions.createCharge(request);
  expect(pending?.state).toBe(ChargeState.PENDING);
  await tripe.startService("bank");
  await sql("update attempt set resolve_time = now() where charge_id = $1", pending?.chargeId);
  const scheduler = tripe.clientsOf("scheduler");
  const { takenCount, settledCount } = await scheduler.transactions.resolveAttempts({ limit: 10 });
  expect({ takenCount, settledCount }).toEqual({ takenCount: 1, settledCount: 1 });
  const { charge: ended } = await fixture.edge.reader.getCharge({ accountId, chargeId: pending?.chargeId ?? "" });
  expect(ended?.state).toBe(ChargeState.SUCCEEDED);
  const replayed = await fixture.edge.transactions.createCharge(request);
  expect(replayed.charge).toEqual(ended);
  expect(await statementOf((await attemptOf(pending?.chargeId ?? "")).bank_ref)).toHaveLength(1);
});

test("a pending charge that nobody is working on is answered as it is when its request comes again", async () => {
  const fixture = setup();
  const payer = await createPayer(fixture, "4242424242424242");
  await tripe.stopService("bank");
  const request = { ...fixture.key(), charge: { ...payer, amount: { amountMinor: 700n, currencyCode: "USD" } } };
  await fixture.edge.transactions.createCharge(request);
  const again = await fixture.edge.transactions.createCharge(request);
  await tripe.startService("bank");
  expect(again).toMatchObject({ isReplayed: true, charge: { state: ChargeState.PENDING } });
});
