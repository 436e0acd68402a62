import { Code } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { refusal } from "./testing-steps.ts";

const { asOwner, setup, rows, liveAccountId } = await startTestWriter();

test("beginCharge makes a pending charge and an attempt leased to the caller", async () => {
  const { charge, attempt, request } = await setup().beginCharge();
  expect(charge).toMatchObject({
    state: ChargeState.PENDING,
    capturedMinor: 0n,
    card: { last4: "4242" },
    metadata: { order: "6735" },
  });
  expect(attempt).toMatchObject({
    chargeId: charge.chargeId,
    bankRef: request.attemptId,
    fence: 1,
    tries: 0,
    amount: { amountMinor: 2000n },
  });
  expect([...attempt.sealedCard]).toEqual([7]);
});

test("settleCharge books an accepted charge once: ledger, event and stored answer in the same commit", async () => {
  const { writer, beginCharge, settleCharge } = setup();
  const begun = await beginCharge();
  const { charge, isSettledHere } = await settleCharge(begun, OutcomeKind.ACCEPTED);
  expect(isSettledHere).toBe(true);
  expect(charge).toMatchObject({ state: ChargeState.SUCCEEDED, capturedMinor: 2000n, authorizationCode: "A1" });
  const entries = await rows(
    "select ledger_account, amount_minor from ledger_entry where ledger_transfer_id = $1 order by ledger_account",
    charge.ledgerTransferId,
  );
  expect(entries).toEqual([
    { ledger_account: "bank_clearing", amount_minor: 2000n },
    { ledger_account: "fees", amount_minor: -88n },
    { ledger_account: "merchant_balance", amount_minor: -1912n },
  ]);
  expect(await rows("select type from event where object_id = $1", charge.chargeId)).toEqual([
    { type: "charge.succeeded" },
  ]);
  const replayed = await writer.beginCharge({ ...begun.request, attemptId: createId("att_") });
  expect(replayed.attempt).toBeUndefined();
  expect(replayed.charge).toEqual(charge);
  const second = await settleCharge(begun, OutcomeKind.ACCEPTED);
  expect(second).toMatchObject({ isSettledHere: false, charge: { ledgerTransferId: charge.ledgerTransferId } });
});

test("settleCharge keeps no fee of an account that has none, nor books one", async () => {
  const { beginCharge, settleCharge } = setup();
  await asOwner("update account set fee_basis_points = 0, fee_fixed_minor = 0");
  onTestFinished(() =>
    asOwner("update account set fee_basis_points = 290, fee_fixed_minor = 30").then(() => undefined),
  );
  const { charge } = await settleCharge(await beginCharge(), OutcomeKind.ACCEPTED);
  const find =
    "select ledger_account, amount_minor from ledger_entry where ledger_transfer_id = $1 order by ledger_account";
  expect(await rows(find, charge.ledgerTransferId)).toEqual([
    { ledger_account: "bank_clearing", amount_minor: 2000n },
    { ledger_account: "merchant_balance", amount_minor: -2000n },
  ]);
});

test("all that a charge's settlement writes bears one transaction's number", async () => {
  const { beginCharge, settleCharge } = setup();
  const { charge } = await settleCharge(await beginCharge(), OutcomeKind.ACCEPTED);
  const [row] = await rows<{ count: number }>(
    `select count(distinct written)::int as count from (
      select xmin::text as written from charge where charge_id = $1
      union all select xmin::text from attempt where charge_id = $1
      union all select xmin::text from ledger_transfer where charge_id = $1
      union all select e.xmin::text from ledger_entry e join ledger_transfer using (ledger_transfer_id) where charge_id = $1
      union all select xmin::text from event where object_id = $1
      union all select xmin::text from idempotency where noun_id = $1
    ) as rows`,
    charge.chargeId,
  );
  expect(row?.count).toBe(1);
});

test("settleCharge keeps a declined charge as failed, with the reason and without a booking", async () => {
  const { beginCharge, settleCharge } = setup();
  const { charge } = await settleCharge(await beginCharge(), OutcomeKind.DECLINED);
  expect(charge).toMatchObject({
    state: ChargeState.FAILED,
    decline: { reason: "insufficient_funds", responseCode: "51" },
  });
  expect(await rows("select 1 from ledger_transfer where charge_id = $1", charge.chargeId)).toEqual([]);
  expect(await rows("select type from event where object_id = $1", charge.chargeId)).toEqual([
    { type: "charge.failed" },
  ]);
});

test("settleCharge makes its snapshot again when the charge's words changed meanwhile", async () => {
  const { writer, key, beginCharge, settleCharge } = setup();
  const begun = await beginCharge();
  const { chargeId } = begun.charge;
  await writer.updateCharge({
    ...key(),
    charge: { chargeId, description: "changed" },
    updateMask: { paths: ["description"] },
  });
  const { charge } = await settleCharge(begun, OutcomeKind.ACCEPTED);
  expect(charge).toMatchObject({ description: "changed", state: ChargeState.SUCCEEDED });
});

test("one request id raced 50 ways makes one charge", async () => {
  const { writer, createPayer, chargeRequest, settleCharge } = setup();
  const payer = await createPayer();
  const requestId = createId("req_");
  const race = Array.from({ length: 50 }, async () => {
    const { charge, attempt } = await writer.beginCharge(chargeRequest(payer, { requestId }));
    return attempt === undefined ? charge : (await settleCharge({ attempt }, OutcomeKind.ACCEPTED)).charge;
  });
  const ids = new Set((await Promise.all(race)).map((charge) => charge?.chargeId));
  expect(ids.size).toBe(1);
});

test("beginCharge refuses a request id that was used for another charge", async () => {
  const { writer, beginCharge } = setup();
  const { request } = await beginCharge();
  const other = writer.beginCharge({ ...request, requestDigest: new Uint8Array([2]), attemptId: createId("att_") });
  expect(await refusal(other)).toMatchObject({ code: Code.AlreadyExists, reason: "REQUEST_ID_REUSED" });
});

test("many charges begun at once are all begun, and one that is refused refuses for itself only", async () => {
  const { writer, createPayer, chargeRequest } = setup();
  const payer = await createPayer();
  const begin = (change: object) => writer.beginCharge(chargeRequest({ ...payer, ...change }));
  const good = Array.from({ length: 200 }, () => begin({}));
  const bad = refusal(begin({ paymentMethodId: "pm_none" }));
  expect(await bad).toMatchObject({ code: Code.NotFound, reason: "PAYMENT_METHOD_NOT_FOUND" });
  expect(new Set((await Promise.all(good)).map(({ charge }) => charge?.chargeId)).size).toBe(200);
});

test("beginCharge refuses a card that is somebody else's, detached, or whose token is not there", async () => {
  const { writer, key, createPayer, chargeRequest } = setup();
  const [one, two] = [await createPayer(), await createPayer()];
  const begin = (payer: Partial<typeof one>, tokenId = "") =>
    refusal(writer.beginCharge({ ...chargeRequest({ ...one, ...payer }), tokenId }));
  const theirs = { paymentMethodId: two.paymentMethodId };
  expect(await begin(theirs)).toMatchObject({ reason: "PAYMENT_METHOD_NOT_ATTACHED" });
  expect(await begin({ customerId: "" })).toMatchObject({ reason: "PAYMENT_METHOD_NOT_ATTACHED" });
  expect(await begin({}, "tok_none")).toMatchObject({ code: Code.NotFound, reason: "TOKEN_NOT_FOUND" });
  await writer.detachPaymentMethod({ ...key(), paymentMethodId: two.paymentMethodId });
  expect(await begin(theirs)).toMatchObject({ reason: "PAYMENT_METHOD_DETACHED" });
});

test("a token raced by two charges is used by one", async () => {
  const { writer, createToken, chargeRequest } = setup();
  const { tokenId, paymentMethodId } = await createToken();
  const begin = () => writer.beginCharge({ ...chargeRequest({ customerId: "", paymentMethodId }), tokenId });
  const results = await Promise.allSettled([begin(), begin(), begin()]);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const refused = results.flatMap((result) => (result.status === "rejected" ? [refusalOf(result.reason)?.reason] : []));
  expect(refused).toEqual(["TOKEN_ALREADY_USED", "TOKEN_ALREADY_USED"]);
});

test("another account's charges and payment methods are not there", async () => {
  const { writer, key, beginCharge } = setup();
  const { request, charge } = await beginCharge();
  const theirs = () => ({ ...key(), accountId: liveAccountId });
  const begin = writer.beginCharge({ ...request, ...theirs(), attemptId: createId("att_") });
  expect(await refusal(begin)).toMatchObject({ reason: "PAYMENT_METHOD_NOT_FOUND" });
  const update = writer.updateCharge({ ...theirs(), charge: { chargeId: charge.chargeId } });
  expect(await refusal(update)).toMatchObject({ code: Code.NotFound, reason: "CHARGE_NOT_FOUND" });
});

test("updateCharge names a customer where there is none, and never replaces one", async () => {
  const { writer, key, createPayer, createToken, chargeRequest } = setup();
  const [payer, other] = [await createPayer(), await createPayer()];
  const { tokenId, paymentMethodId } = await createToken();
  const { charge } = await writer.beginCharge({ ...chargeRequest({ customerId: "", paymentMethodId }), tokenId });
  const name = (customerId: string) =>
    writer.updateCharge({
      ...key(),
      charge: { chargeId: charge?.chargeId ?? "", customerId },
      updateMask: { paths: ["customer_id"] },
    });
  expect(await refusal(name("cus_none"))).toMatchObject({ reason: "CUSTOMER_NOT_FOUND" });
  expect((await name(payer.customerId)).charge?.customerId).toBe(payer.customerId);
  expect(await refusal(name(other.customerId))).toMatchObject({ reason: "CHARGE_HAS_CUSTOMER", field: "customer_id" });
  expect((await name(payer.customerId)).charge?.customerId).toBe(payer.customerId);
});
