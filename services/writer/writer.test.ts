import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { connectDatabase } from "../_database/connect.ts";
import { guardDatabase } from "../_database/guard.ts";
import { seed } from "../_database/seed.ts";
import { createTestDatabase } from "../_database/testing.ts";
import { createServiceClient } from "../_runtime/client.ts";
import { systemClock } from "../_runtime/clock.ts";
import { createDirectTransport } from "../_runtime/direct-transport.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createHost } from "../_runtime/host.ts";
import { createId } from "../_runtime/ids.ts";
import { silentLog } from "../_runtime/log.ts";
import { createWriter } from "./service.ts";

const { urls } = await createTestDatabase();
const { sandboxAccountId: accountId, liveAccountId } = await seed({
  ownerUrl: urls.owner,
  secretKey: "sk_test_writer01",
});
const database = connectDatabase({ url: urls.writer, role: "writer", connectionsMax: 12, log: silentLog });

function setup() {
  const log = silentLog;
  const clock = systemClock;
  const implementation = createWriter({ database: guardDatabase(database), clock });
  const host = createHost({ name: "writer", services: [{ service: WriterService, implementation }], log, clock });
  const transport = createDirectTransport({ host: () => host, clock, freeze: true });
  const writer = createServiceClient(WriterService, "writer", transport, { caller: "transactions", clock, log });
  return { writer };
}

const key = () => ({ accountId, requestId: createId("req_"), requestDigest: new Uint8Array([1]) });

function card() {
  return {
    brand: "visa",
    last4: "4242",
    expMonth: 12,
    expYear: 2040,
    funding: "credit",
    countryCode: "US",
    fingerprint: "f",
    cvcCheck: CheckResult.PASS,
  };
}

async function createPayer({ writer }: ReturnType<typeof setup>) {
  const tokenId = createId("tok_");
  const paymentMethodId = createId("card_");
  await writer.createToken({
    ...key(),
    token: { tokenId, paymentMethod: { paymentMethodId, card: card() } },
    sealedCard: new Uint8Array([7]),
  });
  const customerId = createId("cus_");
  const { customer } = await writer.createCustomer({
    ...key(),
    customer: { customerId, invoicePrefix: "ABC" },
    tokenId,
  });
  return { customerId, paymentMethodId, tokenId, customer };
}

async function beginCharge(
  fixture: ReturnType<typeof setup>,
  change: { requestId?: string; amountMinor?: bigint } = {},
) {
  const payer = await createPayer(fixture);
  const request = {
    ...key(),
    ...(change.requestId && { requestId: change.requestId }),
    attemptId: createId("att_"),
    charge: {
      chargeId: createId("ch_"),
      amount: { amountMinor: change.amountMinor ?? 2000n, currencyCode: "USD" },
      customerId: payer.customerId,
      paymentMethodId: payer.paymentMethodId,
      metadata: { order: "6735" },
    },
  };
  return { payer, request, begun: await fixture.writer.beginCharge(request) };
}

async function succeedCharge(fixture: ReturnType<typeof setup>) {
  const { begun } = await beginCharge(fixture);
  return settle(fixture, begun, OutcomeKind.ACCEPTED);
}

async function settle(
  { writer }: ReturnType<typeof setup>,
  begun: Awaited<ReturnType<typeof beginCharge>>["begun"],
  kind: OutcomeKind,
) {
  const { charge, attempt } = begun;
  if (!charge || !attempt) throw new Error("a begun charge has an attempt");
  const answer = await writer.settleCharge({
    accountId,
    requestId: attempt.attemptId,
    chargeId: charge.chargeId,
    attemptId: attempt.attemptId,
    fence: attempt.fence,
    outcome: {
      kind,
      bank: "sandbox",
      authorizationCode: kind === OutcomeKind.ACCEPTED ? "A1" : "",
      ...(kind === OutcomeKind.DECLINED && { decline: { reason: "insufficient_funds", responseCode: "51" } }),
    },
  });
  if (!answer.charge) throw new Error("a settled charge is answered");
  return { ...answer, charge: answer.charge };
}

function attemptIn({ attempt }: Awaited<ReturnType<typeof beginCharge>>["begun"]) {
  if (attempt === undefined) throw new Error("a begun charge has an attempt");
  return attempt;
}

async function refusal(promise: Promise<unknown>) {
  return refusalOf(
    await promise.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
}

async function rows<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
  return database.query<Row>({ name: "", text }, values);
}

test("createCustomer attaches a token's card, makes it the default and uses the token up", async () => {
  const fixture = setup();
  const { customer, paymentMethodId, tokenId } = await createPayer(fixture);
  expect(customer).toMatchObject({ defaultPaymentMethodId: paymentMethodId, isDefaultFromSource: true });
  const again = fixture.writer.createCustomer({
    ...key(),
    customer: { customerId: createId("cus_"), invoicePrefix: "ABC" },
    tokenId,
  });
  expect(await refusal(again)).toMatchObject({ code: Code.FailedPrecondition, reason: "TOKEN_ALREADY_USED" });
});

test("createCustomer answers the same request with the same customer, and refuses its id for another", async () => {
  const { writer } = setup();
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
  const fixture = setup();
  const { customerId } = await createPayer(fixture);
  const { customer } = await fixture.writer.updateCustomer({
    ...key(),
    customer: { customerId, email: "b@example.com", name: "not in the mask" },
    updateMask: { paths: ["email"] },
    metadataPatch: { set: { a: "1", b: "2" } },
  });
  expect(customer).toMatchObject({ email: "b@example.com", name: "", metadata: { a: "1", b: "2" } });
  const patched = await fixture.writer.updateCustomer({
    ...key(),
    customer: { customerId },
    metadataPatch: { set: { c: "3" }, unset: ["a"] },
  });
  expect(patched.customer?.metadata).toEqual({ b: "2", c: "3" });
  const unknown = fixture.writer.updateCustomer({
    ...key(),
    customer: { customerId },
    updateMask: { paths: ["is_live"] },
  });
  expect(await refusal(unknown)).toMatchObject({ reason: "UPDATE_MASK_UNKNOWN" });
  const set = Object.fromEntries(Array.from({ length: 49 }, (_, index) => [`key ${index}`, "x"]));
  const full = fixture.writer.updateCustomer({ ...key(), customer: { customerId }, metadataPatch: { set } });
  expect(await refusal(full)).toMatchObject({ reason: "METADATA_TOO_MANY_KEYS" });
});

test("deleteCustomer keeps the customer with its delete_time, and detaches its cards for good", async () => {
  const fixture = setup();
  const { customerId, paymentMethodId } = await createPayer(fixture);
  const { customer } = await fixture.writer.deleteCustomer({ ...key(), customerId });
  expect(customer?.deleteTime).toBeDefined();
  expect(customer?.defaultPaymentMethodId).toBe("");
  expect(await refusal(fixture.writer.deleteCustomer({ ...key(), customerId }))).toMatchObject({
    reason: "CUSTOMER_DELETED",
  });
  const other = await createPayer(fixture);
  const attach = fixture.writer.attachPaymentMethod({ ...key(), customerId: other.customerId, paymentMethodId });
  expect(await refusal(attach)).toMatchObject({ reason: "PAYMENT_METHOD_DETACHED" });
});

test("attachPaymentMethod refuses a card of another customer, a declined one, and what is not there", async () => {
  const fixture = setup();
  const [one, two] = [await createPayer(fixture), await createPayer(fixture)];
  const attach = (change: object) =>
    refusal(fixture.writer.attachPaymentMethod({ ...key(), customerId: one.customerId, ...change }));
  expect(await attach({ paymentMethodId: two.paymentMethodId })).toMatchObject({
    reason: "PAYMENT_METHOD_ALREADY_ATTACHED",
  });
  expect(await attach({ paymentMethodId: "pm_none" })).toMatchObject({ reason: "PAYMENT_METHOD_NOT_FOUND" });
  expect(await attach({ tokenId: "tok_none" })).toMatchObject({ reason: "TOKEN_NOT_FOUND" });
  expect(await attach({ customerId: "cus_none", paymentMethodId: "pm_none" })).toMatchObject({
    reason: "CUSTOMER_NOT_FOUND",
  });
  const declined = { paymentMethodId: createId("pm_"), card: card(), verificationDecline: { reason: "expired_card" } };
  const { paymentMethod } = await fixture.writer.createPaymentMethod({
    ...key(),
    paymentMethod: declined,
    sealedCard: new Uint8Array([7]),
  });
  expect(paymentMethod?.verificationDecline?.reason).toBe("expired_card");
  const answer = await attach({ paymentMethodId: declined.paymentMethodId });
  expect(answer).toMatchObject({ reason: "CARD_DECLINED", field: "expired_card" });
});

test("detachPaymentMethod takes the default away with the card", async () => {
  const fixture = setup();
  const { customerId, paymentMethodId } = await createPayer(fixture);
  const { paymentMethod } = await fixture.writer.detachPaymentMethod({ ...key(), paymentMethodId });
  expect(paymentMethod?.customerId).toBe("");
  const { customer } = await fixture.writer.updateCustomer({ ...key(), customer: { customerId } });
  expect(customer?.defaultPaymentMethodId).toBe("");
  const again = fixture.writer.detachPaymentMethod({ ...key(), paymentMethodId });
  expect(await refusal(again)).toMatchObject({ reason: "PAYMENT_METHOD_NOT_ATTACHED" });
});

test("beginCharge makes a pending charge and an attempt leased to the caller", async () => {
  const { begun, request } = await beginCharge(setup());
  expect(begun.charge).toMatchObject({
    chargeId: request.charge.chargeId,
    state: ChargeState.PENDING,
    capturedMinor: 0n,
    card: { last4: "4242" },
    metadata: { order: "6735" },
  });
  expect(begun.attempt).toMatchObject({
    bankRef: request.attemptId,
    fence: 1,
    tries: 0,
    amount: { amountMinor: 2000n },
  });
  expect([...(begun.attempt?.sealedCard ?? [])]).toEqual([7]);
});

test("settleCharge books an accepted charge once: ledger, event and stored answer in the same commit", async () => {
  const fixture = setup();
  const { begun, request } = await beginCharge(fixture);
  const { charge, isSettledHere } = await settle(fixture, begun, OutcomeKind.ACCEPTED);
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
  const replayed = await fixture.writer.beginCharge({ ...request, attemptId: createId("att_") });
  expect(replayed.attempt).toBeUndefined();
  expect(replayed.charge).toEqual(charge);
  const second = await settle(fixture, begun, OutcomeKind.ACCEPTED);
  expect(second).toMatchObject({ isSettledHere: false, charge: { ledgerTransferId: charge.ledgerTransferId } });
});

test("settleCharge keeps a declined charge as failed, with the reason and without a booking", async () => {
  const fixture = setup();
  const { begun } = await beginCharge(fixture);
  const { charge } = await settle(fixture, begun, OutcomeKind.DECLINED);
  expect(charge).toMatchObject({
    state: ChargeState.FAILED,
    decline: { reason: "insufficient_funds", responseCode: "51" },
  });
  expect(await rows("select 1 from ledger_transfer where charge_id = $1", charge.chargeId)).toEqual([]);
});

test("settleCharge raises an alert when two answers disagree, and overwrites nothing", async () => {
  const fixture = setup();
  const { begun } = await beginCharge(fixture);
  const { charge } = await settle(fixture, begun, OutcomeKind.DECLINED);
  const other = await refusal(settle(fixture, begun, OutcomeKind.ACCEPTED));
  expect(other).toMatchObject({ code: Code.FailedPrecondition, reason: "ANSWERS_DISAGREE" });
  expect(await rows("select reason from alert where object_id = $1", begun.attempt?.attemptId)).toHaveLength(1);
  expect(await rows("select state from charge where charge_id = $1", charge.chargeId)).toEqual([{ state: "failed" }]);
});

test("settleCharge refuses an outcome that is not final, and an attempt that is not there", async () => {
  const fixture = setup();
  const { begun } = await beginCharge(fixture);
  expect(await refusal(settle(fixture, begun, OutcomeKind.UNKNOWN))).toMatchObject({ reason: "OUTCOME_NOT_FINAL" });
  const stranger = { ...begun, attempt: { ...attemptIn(begun), attemptId: "att_none" } };
  expect(await refusal(settle(fixture, stranger, OutcomeKind.ACCEPTED))).toMatchObject({ reason: "ATTEMPT_NOT_FOUND" });
});

test("settleCharge makes its snapshot again when the charge's words changed meanwhile", async () => {
  const fixture = setup();
  const { begun, request } = await beginCharge(fixture);
  const { chargeId } = request.charge;
  await fixture.writer.updateCharge({
    ...key(),
    charge: { chargeId, description: "changed" },
    updateMask: { paths: ["description"] },
  });
  const { charge } = await settle(fixture, begun, OutcomeKind.ACCEPTED);
  expect(charge).toMatchObject({ description: "changed", state: ChargeState.SUCCEEDED });
});

test("one request id raced 50 ways makes one charge", async () => {
  const fixture = setup();
  const payer = await createPayer(fixture);
  const request = key();
  const race = Array.from({ length: 50 }, async () => {
    const begun = await fixture.writer.beginCharge({
      ...request,
      attemptId: createId("att_"),
      charge: {
        chargeId: createId("ch_"),
        amount: { amountMinor: 500n, currencyCode: "USD" },
        customerId: payer.customerId,
        paymentMethodId: payer.paymentMethodId,
      },
    });
    return begun.attempt === undefined ? begun.charge : (await settle(fixture, begun, OutcomeKind.ACCEPTED)).charge;
  });
  const ids = new Set((await Promise.all(race)).map((charge) => charge?.chargeId));
  expect(ids.size).toBe(1);
});

test("many charges begun at once are all begun, and one that is refused refuses for itself only", async () => {
  const fixture = setup();
  const payer = await createPayer(fixture);
  const begin = (paymentMethodId: string) =>
    fixture.writer.beginCharge({
      ...key(),
      attemptId: createId("att_"),
      charge: {
        chargeId: createId("ch_"),
        amount: { amountMinor: 500n, currencyCode: "USD" },
        customerId: payer.customerId,
        paymentMethodId,
      },
    });
  const good = Array.from({ length: 200 }, () => begin(payer.paymentMethodId));
  const bad = refusal(begin("pm_none"));
  expect(await bad).toMatchObject({ code: Code.NotFound, reason: "PAYMENT_METHOD_NOT_FOUND" });
  expect(new Set((await Promise.all(good)).map(({ charge }) => charge?.chargeId)).size).toBe(200);
});

test("a token raced by two charges is used by one", async () => {
  const fixture = setup();
  const tokenId = createId("tok_");
  const paymentMethodId = createId("card_");
  const paymentMethod = { paymentMethodId, card: card() };
  await fixture.writer.createToken({ ...key(), token: { tokenId, paymentMethod }, sealedCard: new Uint8Array([7]) });
  const begin = () =>
    fixture.writer.beginCharge({
      ...key(),
      attemptId: createId("att_"),
      tokenId,
      charge: { chargeId: createId("ch_"), amount: { amountMinor: 500n, currencyCode: "USD" }, paymentMethodId },
    });
  const results = await Promise.allSettled([begin(), begin(), begin()]);
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const refused = results.flatMap((result) => (result.status === "rejected" ? [refusalOf(result.reason)?.reason] : []));
  expect(refused).toEqual(["TOKEN_ALREADY_USED", "TOKEN_ALREADY_USED"]);
});

test("another account's payment method is not there", async () => {
  const fixture = setup();
  const { request } = await beginCharge(fixture);
  const elsewhere = fixture.writer.beginCharge({
    ...request,
    ...key(),
    accountId: liveAccountId,
    attemptId: createId("att_"),
  });
  expect(await refusal(elsewhere)).toMatchObject({ reason: "PAYMENT_METHOD_NOT_FOUND" });
});

async function beginReturn({ writer }: ReturnType<typeof setup>, chargeId: string, amountMinor: bigint) {
  return writer.beginReturn({
    ...key(),
    returnId: createId("re_"),
    attemptId: createId("att_"),
    chargeId,
    amountMinor,
  });
}

async function settleReturn(
  { writer }: ReturnType<typeof setup>,
  begun: Awaited<ReturnType<typeof beginReturn>>,
  kind: OutcomeKind,
) {
  const { return: record, attempt } = begun;
  if (!record || !attempt) throw new Error("a begun return has an attempt");
  return writer.settleReturn({
    accountId,
    requestId: attempt.attemptId,
    returnId: record.returnId,
    chargeId: record.chargeId,
    attemptId: attempt.attemptId,
    fence: attempt.fence,
    outcome: { kind, bank: "sandbox", ...(kind === OutcomeKind.DECLINED && { decline: { reason: "lost_card" } }) },
  });
}

test("beginReturn never holds back more than was captured, however many race", async () => {
  const fixture = setup();
  const { charge } = await succeedCharge(fixture);
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, () => beginReturn(fixture, charge.chargeId, 300n)),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(6);
  expect(await refusal(beginReturn(fixture, charge.chargeId, 300n))).toMatchObject({ reason: "RETURN_EXCEEDS_CHARGE" });
  const last = await beginReturn(fixture, charge.chargeId, 0n);
  expect(last.return?.amount?.amountMinor).toBe(200n);
  expect(await refusal(beginReturn(fixture, charge.chargeId, 0n))).toMatchObject({ reason: "CHARGE_ALREADY_RETURNED" });
  expect(await refusal(beginReturn(fixture, "ch_none", 0n))).toMatchObject({ reason: "CHARGE_NOT_FOUND" });
});

test("beginReturn refuses a charge that has not succeeded", async () => {
  const fixture = setup();
  const { begun } = await beginCharge(fixture);
  const { charge } = await settle(fixture, begun, OutcomeKind.DECLINED);
  expect(await refusal(beginReturn(fixture, charge.chargeId, 0n))).toMatchObject({ reason: "CHARGE_NOT_SUCCEEDED" });
});

test("settleReturn books a return against the charge, once", async () => {
  const fixture = setup();
  const { charge } = await succeedCharge(fixture);
  const begun = await beginReturn(fixture, charge.chargeId, 500n);
  const { return: record } = await settleReturn(fixture, begun, OutcomeKind.ACCEPTED);
  expect(record?.state).toBe(ReturnState.SUCCEEDED);
  const again = await settleReturn(fixture, begun, OutcomeKind.ACCEPTED);
  expect(again).toMatchObject({ isSettledHere: false });
  const sums = await rows(
    "select ledger_account, sum(amount_minor)::bigint as sum from ledger_entry join ledger_transfer using (ledger_transfer_id) where charge_id = $1 group by 1 order by 1",
    charge.chargeId,
  );
  expect(sums).toEqual([
    { ledger_account: "bank_clearing", sum: 1500n },
    { ledger_account: "fees", sum: -88n },
    { ledger_account: "merchant_balance", sum: -1412n },
  ]);
});

test("settleReturn gives the amount of a failed return back to the charge", async () => {
  const fixture = setup();
  const { charge } = await succeedCharge(fixture);
  const begun = await Promise.all([1, 2, 3].map(() => beginReturn(fixture, charge.chargeId, 500n)));
  const settled = await Promise.all(begun.map((one) => settleReturn(fixture, one, OutcomeKind.DECLINED)));
  expect(settled.map((one) => one.return?.state)).toEqual([ReturnState.FAILED, ReturnState.FAILED, ReturnState.FAILED]);
  const [row] = await rows<{ returned_minor: bigint }>(
    "select returned_minor from charge where charge_id = $1",
    charge.chargeId,
  );
  expect(row?.returned_minor).toBe(0n);
});

test("leaseAttempts takes what is due with a new fence, and postponeAttempt gives it up only to its holder", async () => {
  const fixture = setup();
  const { begun } = await beginCharge(fixture);
  const attemptId = begun.attempt?.attemptId ?? "";
  await rows("update attempt set resolve_time = now() - interval '1 s' where attempt_id = $1", attemptId);
  const { attempts } = await fixture.writer.leaseAttempts({ limit: 500 });
  const leased = attempts.find((attempt) => attempt.attemptId === attemptId);
  expect(leased).toMatchObject({ fence: 2, tries: 1, accountId });
  const postpone = (fence: number) =>
    fixture.writer.postponeAttempt({ accountId, requestId: "p", attemptId, fence, delayMs: 60_000n, bank: "sandbox" });
  expect(await postpone(1)).toMatchObject({ isPostponed: false });
  expect(await postpone(2)).toMatchObject({ isPostponed: true });
});

test("the ledger can be neither changed nor unbalanced, by the writer or by the owner", async () => {
  const { charge } = await succeedCharge(setup());
  const id = charge.ledgerTransferId;
  await expect(rows("update ledger_entry set amount_minor = 1 where ledger_transfer_id = $1", id)).rejects.toThrow(
    /denied/,
  );
  await expect(rows("delete from ledger_transfer where ledger_transfer_id = $1", id)).rejects.toThrow(/denied/);
  const owner = connectDatabase({ url: urls.owner, role: "writer", connectionsMax: 2, log: silentLog });
  const asOwner = (text: string) => owner.query({ name: "", text }, [id]);
  await expect(asOwner("delete from ledger_entry where ledger_transfer_id = $1")).rejects.toThrow(/append-only/);
  await expect(
    asOwner(
      "insert into ledger_entry select account_id, ledger_transfer_id, 'fees', 'EUR', 5 from ledger_transfer where ledger_transfer_id = $1",
    ),
  ).rejects.toThrow(/sum to zero/);
  await owner.close();
});
