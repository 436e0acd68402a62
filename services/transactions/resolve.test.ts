import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { Fault, FaultKind } from "../bank/sandbox/faults.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, effectsOf, makeDue, selectRows } from "./testing.ts";

/** As patient as a test can be with a bank that does not answer: it is waited for 300 ms. */
const PATIENCE = { timeoutMs: 800 };

// As between processes: a bank goes wrong in the same ways whatever carries the calls (transactions.test.ts runs over both).
const faults: Fault[] = [];
const calls: string[] = [];
/** What to do before the next submission is let through; it is held back meanwhile. */
const before: (() => Promise<unknown>)[] = [];
const tripe = await startTestTripe({
  wiring: "grpc",
  delayMs: ({ rpc }) => {
    const act = rpc === "Submit" ? before.shift() : undefined;
    void act?.();
    return act === undefined ? 0 : 300;
  },
  nextFault: () => faults.shift(),
  observe: ({ service, rpc }) => calls.push(`${service}.${rpc}`),
});
const { accountId } = tripe;

function setup() {
  faults.length = 0;
  const steps = createSteps(tripe);
  const { transactions } = tripe.clientsOf("scheduler");
  const stateOf = async (chargeId: string) =>
    (await steps.edge.reader.getCharge({ accountId, chargeId })).charge?.state;
  /** A charge over which the bank goes wrong. */
  const chargeAt = async (kind: FaultKind, patience: { timeoutMs?: number } = PATIENCE) => {
    const request = steps.chargeRequest(await steps.createPayer());
    faults.push({ kind, lateMs: 5_000 });
    const { charge } = await steps.edge.transactions.createCharge(request, patience);
    return { request, state: charge?.state, chargeId: charge?.chargeId ?? "" };
  };
  /** One sweep over a charge's attempts, once they are due. */
  const resolve = async (chargeId: string) => {
    await makeDue(tripe, chargeId);
    const { takenCount, settledCount } = await transactions.resolveAttempts({ limit: 500 });
    return { takenCount, settledCount };
  };
  return { ...steps, transactions, stateOf, chargeAt, resolve };
}

test.each(["lose", "drop", "reset", "malformed", "echo", "late"] as const)(
  "a bank that goes wrong (%s) leaves the charge pending, never failed, and the resolver finds the one effect",
  async (kind) => {
    const { chargeAt, resolve, stateOf } = setup();
    const { chargeId, state } = await chargeAt(kind);
    expect(state).toBe(ChargeState.PENDING);
    await expect
      .poll(
        async () => {
          await resolve(chargeId);
          return stateOf(chargeId);
        },
        { timeout: 10_000 },
      )
      .toBe(ChargeState.SUCCEEDED);
    expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
  },
);

test("a bank that answers twice is one effect and one booking", async () => {
  const { chargeAt } = setup();
  const { chargeId, state } = await chargeAt("double", {});
  expect(state).toBe(ChargeState.SUCCEEDED);
  expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
  expect(await selectRows(tripe, "select 1 from ledger_transfer where charge_id = $1", chargeId)).toHaveLength(1);
});

test("what may have happened does not fail because the bank cannot be reached later", async () => {
  const { chargeAt, resolve, stateOf } = setup();
  const { chargeId } = await chargeAt("lose");
  await tripe.stopBank();
  try {
    expect((await resolve(chargeId)).settledCount).toBe(0);
    expect(await stateOf(chargeId)).toBe(ChargeState.PENDING);
  } finally {
    await tripe.startBank();
  }
  await expect
    .poll(
      async () => {
        await resolve(chargeId);
        return stateOf(chargeId);
      },
      { timeout: 10_000 },
    )
    .toBe(ChargeState.SUCCEEDED);
  expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
});

test("what may have happened does not fail because its repeat did not reach the bank", async () => {
  const { chargeAt, resolve, stateOf } = setup();
  const { chargeId } = await chargeAt("drop");
  // The bank knows nothing of it, and is gone before it can be asked again.
  before.push(tripe.stopBank);
  try {
    expect(await resolve(chargeId)).toEqual({ takenCount: 1, settledCount: 0 });
    expect(calls.slice(-4)).toContain("bank.Submit");
    expect(await stateOf(chargeId)).toBe(ChargeState.PENDING);
  } finally {
    await tripe.startBank();
  }
  await expect
    .poll(
      async () => {
        await resolve(chargeId);
        return stateOf(chargeId);
      },
      { timeout: 10_000 },
    )
    .toBe(ChargeState.SUCCEEDED);
  expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
});

test("a return whose answer is lost is found by the resolver, and given back once", async () => {
  const { edge, key, createPayer, chargeRequest, charge, resolve } = setup();
  const { chargeId } = (await charge(chargeRequest(await createPayer()))).charge;
  faults.push({ kind: "lose", lateMs: 0 });
  const request = { ...key(), chargeId, amountMinor: 500n };
  const { return: pending } = await edge.transactions.createReturn(request, PATIENCE);
  expect(pending?.state).toBe(ReturnState.PENDING);
  expect((await resolve(chargeId)).settledCount).toBe(1);
  const { return: ended } = await edge.transactions.createReturn(request);
  expect(ended).toMatchObject({ returnId: pending?.returnId, state: ReturnState.SUCCEEDED });
  expect((await effectsOf(tripe, chargeId)).map(({ kind }) => kind)).toEqual(["purchase", "refund"]);
});

test("a writer that dies after the bank said yes costs nothing but time", async () => {
  const { edge, createPayer, chargeRequest, charge, resolve } = setup();
  const request = chargeRequest(await createPayer());
  faults.push({ kind: "delay", lateMs: 300 });
  calls.length = 0;
  const cut = edge.transactions.createCharge(request, PATIENCE).catch(() => undefined);
  await expect.poll(() => calls, { interval: 1, timeout: 10_000 }).toContain("writer.BeginCharge");
  await tripe.stopService("writer");
  await cut;
  await tripe.startService("writer");
  const [row] = await selectRows<{ charge_id: string }>(
    tripe,
    "select charge_id from charge where request_id = $1",
    request.requestId,
  );
  await resolve(row?.charge_id ?? "");
  expect(await charge(request)).toMatchObject({ isReplayed: true, charge: { state: ChargeState.SUCCEEDED } });
  expect(await effectsOf(tripe, row?.charge_id ?? "")).toHaveLength(1);
});

test("resolvers that sweep at once take each attempt once", async () => {
  const { chargeAt, transactions, stateOf } = setup();
  const begun = [await chargeAt("reset"), await chargeAt("reset"), await chargeAt("reset")];
  for (const { chargeId } of begun) await makeDue(tripe, chargeId);
  const sweeps = await Promise.all([1, 2, 3, 4].map(() => transactions.resolveAttempts({ limit: 500 })));
  expect(sweeps.reduce((sum, { takenCount }) => sum + takenCount, 0)).toBe(3);
  for (const { chargeId } of begun) {
    expect(await stateOf(chargeId)).toBe(ChargeState.SUCCEEDED);
    expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
  }
});
