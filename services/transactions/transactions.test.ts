import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, effectsOf, makeDue, selectRows } from "./testing.ts";

/** The same Tripe twice, in one process and over sockets, each with the calls that were made in it. */
const systems = { direct: await start("direct"), grpc: await start("grpc") };

const overBoth = test.each(["direct", "grpc"] as const);

async function start(wiring: "direct" | "grpc") {
  const calls: string[] = [];
  const tripe = await startTestTripe({ wiring, observe: ({ service, rpc }) => calls.push(`${service}.${rpc}`) });
  return { tripe, calls };
}

overBoth(
  "over %s, createCharge takes the money once: the charge, the attempt and the bank's statement agree",
  async (wiring) => {
    const { tripe } = systems[wiring];
    const { createPayer, chargeRequest, charge } = createSteps(tripe);
    const request = chargeRequest(await createPayer());
    const { charge: made } = await charge(request);
    expect(made).toMatchObject({ state: ChargeState.SUCCEEDED, capturedMinor: 2000n, card: { brand: "visa" } });
    const repeated = await charge(request);
    expect(repeated.isReplayed).toBe(true);
    expect(repeated.charge).toEqual(made);
    expect(await effectsOf(tripe, made.chargeId)).toMatchObject([
      { kind: "purchase", amountMinor: 2000n, currencyCode: "USD" },
    ]);
    const [clearing] = await selectRows<{ amount_minor: bigint }>(
      tripe,
      `select amount_minor from ledger_entry join ledger_transfer using (ledger_transfer_id)
      where charge_id = $1 and ledger_account = 'bank_clearing'`,
      made.chargeId,
    );
    expect(clearing?.amount_minor).toBe(2000n);
  },
);

overBoth("over %s, one request raced ten ways is one effect at the bank, and one answer", async (wiring) => {
  const { tripe } = systems[wiring];
  const { createPayer, chargeRequest, charge } = createSteps(tripe);
  const request = chargeRequest(await createPayer());
  const answers = await Promise.all(Array.from({ length: 10 }, () => charge(request)));
  const [first] = answers;
  for (const { charge: made } of answers) expect(made).toEqual(first?.charge);
  expect(answers.filter(({ isReplayed }) => !isReplayed)).toHaveLength(1);
  expect(await effectsOf(tripe, first?.charge.chargeId ?? "")).toHaveLength(1);
});

overBoth("over %s, createCharge keeps a declined charge, with the bank's reason, and moves nothing", async (wiring) => {
  const { tripe } = systems[wiring];
  const { createPayer, chargeRequest, charge } = createSteps(tripe);
  const { charge: made } = await charge(chargeRequest(await createPayer("4000000000009995")));
  expect(made).toMatchObject({ state: ChargeState.FAILED, decline: { reason: "insufficient_funds" } });
  expect(await effectsOf(tripe, made.chargeId)).toEqual([]);
});

overBoth("over %s, createCharge asks no bank before the intent is stored", async (wiring) => {
  const { tripe, calls } = systems[wiring];
  const { createPayer, chargeRequest, charge } = createSteps(tripe);
  const request = chargeRequest(await createPayer());
  await tripe.stopService("writer");
  calls.length = 0;
  const error = await charge(request).catch((reason: unknown) => reason);
  await tripe.startService("writer");
  expect(error).toMatchObject({ code: Code.Unavailable });
  expect(calls).not.toContain("bank.Submit");
  expect(await charge(request)).toMatchObject({ isReplayed: false, charge: { state: ChargeState.SUCCEEDED } });
});

overBoth("over %s, createCharge passes on why a charge was not begun, and asks no bank", async (wiring) => {
  const { tripe, calls } = systems[wiring];
  const { createPayer, chargeRequest, charge } = createSteps(tripe);
  const payer = await createPayer();
  calls.length = 0;
  const error = await charge(chargeRequest({ ...payer, paymentMethodId: "pm_none" })).catch((reason) => reason);
  expect(refusalOf(error)).toMatchObject({ code: Code.NotFound, reason: "PAYMENT_METHOD_NOT_FOUND" });
  expect(calls).not.toContain("bank.Submit");
});

overBoth("over %s, createReturn gives part of a charge back, once", async (wiring) => {
  const { tripe } = systems[wiring];
  const { edge, key, createPayer, chargeRequest, charge } = createSteps(tripe);
  const { charge: made } = await charge(chargeRequest(await createPayer()));
  const request = { ...key(), chargeId: made.chargeId, amountMinor: 500n };
  const { return: record } = await edge.transactions.createReturn(request);
  expect(record).toMatchObject({ state: ReturnState.SUCCEEDED, amount: { amountMinor: 500n } });
  const again = await edge.transactions.createReturn(request);
  expect(again).toMatchObject({ isReplayed: true, return: { returnId: record?.returnId } });
  const effects = await effectsOf(tripe, made.chargeId);
  expect(effects).toMatchObject([{ kind: "purchase" }, { kind: "refund", amountMinor: 500n }]);
  expect(effects[1]?.originalBankRef).toBe(effects[0]?.bankRef);
});

overBoth(
  "over %s, returns that race for one charge give back no more than was captured, at the bank too",
  async (wiring) => {
    const { tripe } = systems[wiring];
    const { edge, key, createPayer, chargeRequest, charge } = createSteps(tripe);
    const { charge: made } = await charge(chargeRequest(await createPayer()));
    const give = () => edge.transactions.createReturn({ ...key(), chargeId: made.chargeId, amountMinor: 600n });
    const results = await Promise.allSettled(Array.from({ length: 8 }, give));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    const refunds = (await effectsOf(tripe, made.chargeId)).filter(({ kind }) => kind === "refund");
    expect(refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(1800n);
  },
);

overBoth("over %s, a bank that cannot be reached fails the charge, for not a byte was sent", async (wiring) => {
  const { tripe } = systems[wiring];
  const { createPayer, chargeRequest, charge } = createSteps(tripe);
  const request = chargeRequest(await createPayer());
  await tripe.stopBank();
  try {
    const answer = await charge(request);
    expect(answer.charge).toMatchObject({ state: ChargeState.FAILED, decline: { reason: "processing_error" } });
  } finally {
    await tripe.startBank();
  }
});

overBoth(
  "over %s, a card that the bank service cannot open leaves the charge pending: it is no fault of the customer's",
  async (wiring) => {
    const { tripe } = systems[wiring];
    const { createPayer, chargeRequest, charge } = createSteps(tripe);
    const payer = await createPayer();
    const spoil = "update payment_method set sealed_card = '\\x07' where payment_method_id = $1";
    await selectRows(tripe, spoil, payer.paymentMethodId);
    const { charge: made } = await charge(chargeRequest(payer));
    expect(made.state).toBe(ChargeState.PENDING);
    expect(await effectsOf(tripe, made.chargeId)).toEqual([]);
    // No other test's sweep finds it.
    await selectRows(tripe, "update attempt set resolve_time = 'infinity' where charge_id = $1", made.chargeId);
  },
);

overBoth("over %s, a caller who hangs up stops nothing once money may move", async (wiring) => {
  const { tripe, calls } = systems[wiring];
  const { edge, createPayer, chargeRequest } = createSteps(tripe);
  const request = chargeRequest(await createPayer());
  const gone = new AbortController();
  calls.length = 0;
  const hungUp = edge.transactions.createCharge(request, { signal: gone.signal }).catch((error: unknown) => error);
  await expect.poll(() => calls, { interval: 1, timeout: 10_000 }).toContain("writer.BeginCharge");
  gone.abort();
  await hungUp;
  await expect.poll(() => calls, { timeout: 10_000 }).toContain("writer.SettleCharge");
  const again = await edge.transactions.createCharge(request);
  expect(again).toMatchObject({ isReplayed: true, charge: { state: ChargeState.SUCCEEDED } });
  expect(await effectsOf(tripe, again.charge?.chargeId ?? "")).toHaveLength(1);
});

overBoth("over %s, a bank service that dies leaves the charge pending, and the resolver ends it", async (wiring) => {
  const { tripe } = systems[wiring];
  const { edge, createPayer, chargeRequest, charge } = createSteps(tripe);
  const request = chargeRequest(await createPayer(), 700n);
  await tripe.stopService("bank");
  const { charge: pending } = await charge(request);
  // Nobody works on it now: the same request again is answered with it as it is.
  const again = await charge(request);
  await tripe.startService("bank");
  expect(again).toMatchObject({
    isReplayed: true,
    charge: { chargeId: pending.chargeId, state: ChargeState.PENDING },
  });
  expect(pending.state).toBe(ChargeState.PENDING);
  await makeDue(tripe, pending.chargeId);
  const { transactions } = tripe.clientsOf("scheduler");
  expect(await transactions.resolveAttempts({ limit: 10 })).toMatchObject({ takenCount: 1, settledCount: 1 });
  const { charge: ended } = await edge.reader.getCharge({ accountId: tripe.accountId, chargeId: pending.chargeId });
  expect(ended?.state).toBe(ChargeState.SUCCEEDED);
  expect((await charge(request)).charge).toEqual(ended);
  expect(await effectsOf(tripe, pending.chargeId)).toHaveLength(1);
});
