import { expect, test } from "vitest";
import { AttemptKind, OutcomeKind } from "../gen/tripe/billing/v1/attempt_pb.ts";
import { createClient } from "../services/_database/connect-client.ts";
import { createId } from "../services/_runtime/ids.ts";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

// The official SDK over real HTTP: a program written for Stripe's separate capture runs unchanged.
const bench = await startBench();
const stripe = await bench.stripe({ maxNetworkRetries: 0 });
const { accountId } = bench.tripe;
const scheduler = bench.tripe.clientsOf("scheduler");
const held = { amount: 2_000, currency: "usd", source: "tok_visa", capture: false } as const;
const hold = () => stripe.charges.create(held);

async function query<Row = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<Row[]> {
  const client = createClient({ url: bench.tripe.database.urls.owner, name: "test" });
  await client.connect();
  try {
    return (await client.query<Row & Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** The types of what was told of a charge and its returns, in order. */
async function told(chargeId: string): Promise<unknown[]> {
  const rows = await query(
    `select type from event where object_id = $1
      or object_id in (select return_id from charge_return where charge_id = $1) order by event_id`,
    chargeId,
  );
  return rows.map(({ type }) => type);
}

/** Lets a hold's seven days pass. */
const age = (chargeId: string) =>
  query(
    "update charge set capture_before_time = business_now(account_id) - interval '1 s' where charge_id = $1",
    chargeId,
  );

test("a charge with capture=false is held: succeeded and paid, and nothing of it captured, refunded or booked", async () => {
  const charge = await hold();
  expect(charge).toMatchObject({
    status: "succeeded",
    paid: true,
    captured: false,
    amount: 2_000,
    amount_captured: 0,
    amount_refunded: 0,
    refunded: false,
    balance_transaction: null,
  });
  expect(await stripe.charges.retrieve(charge.id)).toEqual(charge);
  expect(await told(charge.id)).toEqual(["charge.succeeded"]);
  const [row] = await query(
    "select extract(epoch from capture_before_time - settle_time)::int as seconds from charge where charge_id = $1",
    charge.id,
  );
  expect(row?.["seconds"]).toBe(7 * 24 * 3_600);
});

test("a declined hold is a declined charge", async () => {
  const failure = await failureOf(stripe.charges.create({ ...held, source: "tok_chargeDeclined" }));
  expect(failure).toMatchObject({ statusCode: 402, code: "card_declined" });
  const failed = await failureOf(stripe.charges.capture(String(failure.charge)));
  expect(failed).toMatchObject({ statusCode: 400, message: expect.stringContaining("has not succeeded") });
});

test("a capture without an amount takes all, and books it", async () => {
  const charge = await hold();
  const captured = await stripe.charges.capture(charge.id, { expand: ["balance_transaction"] });
  expect(captured).toMatchObject({
    id: charge.id,
    captured: true,
    amount_captured: 2_000,
    amount_refunded: 0,
    refunded: false,
    balance_transaction: { amount: 2_000, fee: 88, net: 1_912 },
  });
  expect(await told(charge.id)).toEqual(["charge.succeeded", "charge.captured"]);
  expect(await failureOf(stripe.charges.capture(charge.id))).toMatchObject({
    statusCode: 400,
    code: "charge_already_captured",
    message: `Charge ${charge.id} has already been captured.`,
  });
});

test("a capture of a part releases the rest, which counts as refunded; what was captured can be returned", async () => {
  const { id } = await hold();
  const captured = await stripe.charges.capture(id, { amount: 1_500, expand: ["balance_transaction"] });
  expect(captured).toMatchObject({
    captured: true,
    amount: 2_000,
    amount_captured: 1_500,
    amount_refunded: 500,
    refunded: false,
    balance_transaction: { amount: 1_500, fee: 74, net: 1_426 },
  });
  await stripe.refunds.create({ charge: id, amount: 500 });
  expect(await failureOf(stripe.refunds.create({ charge: id, amount: 1_001 }))).toMatchObject({ param: "amount" });
  await stripe.refunds.create({ charge: id });
  expect(await stripe.charges.retrieve(id)).toMatchObject({ amount_refunded: 2_000, refunded: true });
  expect(await failureOf(stripe.refunds.create({ charge: id }))).toMatchObject({ code: "charge_already_refunded" });
});

test("a refund of what is only held voids it whole, books nothing, and leaves nothing to capture", async () => {
  const { id } = await hold();
  expect(await failureOf(stripe.refunds.create({ charge: id, amount: 500 }))).toMatchObject({
    statusCode: 400,
    param: "amount",
    message: expect.stringContaining("only be refunded whole"),
  });
  const refund = await stripe.refunds.create({ charge: id });
  expect(refund).toMatchObject({ status: "succeeded", amount: 2_000, balance_transaction: null });
  expect(await stripe.charges.retrieve(id)).toMatchObject({
    captured: false,
    amount_captured: 0,
    amount_refunded: 2_000,
    refunded: true,
  });
  expect(await told(id)).toEqual(["charge.succeeded", "refund.created", "charge.refunded"]);
  for (const again of [() => stripe.charges.capture(id), () => stripe.refunds.create({ charge: id })]) {
    expect(await failureOf(again())).toMatchObject({ statusCode: 400, code: "charge_already_refunded" });
  }
});

test("a hold that is not captured in 7 days is let go by the sweep, and cannot be captured from then on", async () => {
  const { id } = await hold();
  await age(id);
  const late = await failureOf(stripe.charges.capture(id));
  expect(late).toMatchObject({ statusCode: 400, code: "charge_expired_for_capture" });
  expect(await scheduler.transactions.expireHolds({ limit: 10 })).toMatchObject({ takenCount: 1, releasedCount: 1 });
  expect(await stripe.charges.retrieve(id)).toMatchObject({ captured: false, amount_refunded: 2_000, refunded: true });
  expect(await told(id)).toEqual(["charge.succeeded", "charge.expired"]);
  expect(await failureOf(stripe.charges.capture(id))).toMatchObject({ code: "charge_expired_for_capture" });
  expect(await failureOf(stripe.refunds.create({ charge: id }))).toMatchObject({ code: "charge_already_refunded" });
  expect(await scheduler.transactions.expireHolds({ limit: 10 })).toMatchObject({ takenCount: 0 });
});

test("bad captures are refused by name, and nothing is written", async () => {
  const { id } = await hold();
  const refused = async (params: object) => {
    const { code, param } = await failureOf(stripe.charges.capture(id, params));
    return [code, param];
  };
  expect(await refused({ amount: 2_001 })).toEqual(["amount_too_large", "amount"]);
  expect(await refused({ amount: 0 })).toEqual(["parameter_invalid_integer", "amount"]);
  expect(await refused({ amount: -1 })).toEqual(["parameter_invalid_integer", "amount"]);
  expect(await refused({ application_fee_amount: 1 })).toEqual(["parameter_unknown", "application_fee_amount"]);
  expect(await failureOf(stripe.charges.capture("ch_none"))).toMatchObject({ statusCode: 404, param: "charge" });
  const whole = await stripe.charges.create({ amount: 500, currency: "usd", source: "tok_visa" });
  expect(await failureOf(stripe.charges.capture(whole.id))).toMatchObject({ code: "charge_already_captured" });
  expect(await query("select 1 from attempt where charge_id = $1 and kind = 'capture'", id)).toEqual([]);
});

test("the same key is the same capture, declined ones too; another amount under it is refused", async () => {
  const { id } = await hold();
  const first = await stripe.charges.capture(id, { amount: 1_200 }, { idempotencyKey: "capture-1" });
  const second = await stripe.charges.capture(id, { amount: 1_200 }, { idempotencyKey: "capture-1" });
  expect(second).toEqual(first);
  expect(second.lastResponse.headers["idempotent-replayed"]).toBe("true");
  const other = await failureOf(stripe.charges.capture(id, { amount: 1_300 }, { idempotencyKey: "capture-1" }));
  expect(other).toMatchObject({ statusCode: 400, type: "StripeIdempotencyError" });
});

test("a capture that the bank declines is a 402 under its key for good, and the charge is held as before", async () => {
  const { id } = await hold();
  await letBankForget(id);
  const failures = await Promise.all(
    [1, 2].map(() => failureOf(stripe.charges.capture(id, {}, { idempotencyKey: `declined-${id}` }))),
  );
  for (const failure of failures)
    expect(failure).toMatchObject({ statusCode: 402, type: "StripeCardError", charge: id });
  expect(await stripe.charges.retrieve(id)).toMatchObject({ captured: false, refunded: false, amount_refunded: 0 });
  expect(await told(id)).toEqual(["charge.succeeded"]);
  // What the bank does not have cannot be voided either: that refund fails, and says so.
  expect(await stripe.refunds.create({ charge: id })).toMatchObject({ status: "failed" });
  expect(await stripe.charges.retrieve(id)).toMatchObject({ amount_refunded: 0, refunded: false });
  // Its time over, it is gone: the bank has nothing to let go, and nobody is alarmed.
  await age(id);
  expect(await scheduler.transactions.expireHolds({ limit: 10 })).toMatchObject({ takenCount: 1, releasedCount: 1 });
  expect(await stripe.charges.retrieve(id)).toMatchObject({ refunded: true });
  expect(await query("select 1 from alert")).toEqual([]);
});

interface AttemptRow {
  readonly payment_method_id: string;
  readonly bank_ref: string;
  readonly sealed_card: Buffer;
}

/** The bank lets a hold go without Tripe's books knowing. */
async function letBankForget(chargeId: string): Promise<void> {
  const [attempt] = await query<AttemptRow>(
    `select t.payment_method_id, t.bank_ref, p.sealed_card
      from attempt t join payment_method p using (account_id, payment_method_id) where charge_id = $1`,
    chargeId,
  );
  if (attempt === undefined) throw new Error("a hold has its attempt");
  const { outcome } = await bench.tripe.clientsOf("transactions").bank.submit({
    accountId,
    paymentMethodId: attempt.payment_method_id,
    kind: AttemptKind.REVERSE,
    bankRef: createId("att_"),
    originalBankRef: attempt.bank_ref,
    sealedCard: attempt.sealed_card,
    amount: { amountMinor: 2_000n, currencyCode: "USD" },
  });
  expect(outcome?.kind).toBe(OutcomeKind.ACCEPTED);
}

test("of 20 captures raced with different keys one captures, and the others are told that it is captured", async () => {
  const { id } = await hold();
  const codes = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      stripe.charges.capture(id, { amount: 1_000 + n }).then(
        () => "captured",
        (error: { code: string }) => error.code,
      ),
    ),
  );
  expect(codes.filter((code) => code === "captured")).toHaveLength(1);
  expect(codes.filter((code) => code === "charge_already_captured")).toHaveLength(19);
  expect(await query("select 1 from ledger_transfer where charge_id = $1", id)).toHaveLength(1);
});

test("capture, void and expiry raced for one hold: exactly one has it", async () => {
  for (let round = 0; round < 5; round += 1) {
    const { id } = await hold();
    const ends = await Promise.all([
      stripe.charges.capture(id).then(() => "captured", failed),
      // What came after the capture is a refund like any other, and booked.
      stripe.refunds
        .create({ charge: id })
        .then((one) => (one.balance_transaction === null ? "voided" : "returned"), failed),
      age(id).then(async () => ((await scheduler.transactions.expireHolds({})).releasedCount > 0 ? "expired" : "not")),
    ]);
    const won = ends.filter((end) => ["captured", "voided", "expired"].includes(end));
    expect(won).toHaveLength(1);
    const charge = await stripe.charges.retrieve(id);
    expect(charge.captured).toBe(won[0] === "captured");
    expect(charge.refunded).toBe(won[0] !== "captured" || ends[1] === "returned");
    const [ending] = await query(
      "select count(*)::int as count from attempt where charge_id = $1 and kind in ('capture', 'reverse') and state = 'succeeded'",
      id,
    );
    expect(ending?.["count"]).toBe(1);
  }
});

const failed = (error: { code?: string }) => error.code ?? "failed";
