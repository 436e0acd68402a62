import { afterAll, expect, test } from "vitest";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { runAudit } from "../_audit/audit.ts";
import { systemClock } from "../_runtime/clock.ts";
import { silentLog } from "../_runtime/log.ts";
import type { Fault } from "../bank/sandbox/faults.ts";
import { readStatement } from "../bank/sandbox/statement.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, effectsOf, makeDue, selectRows } from "./testing.ts";

/** As patient as a test can be with a bank that does not answer: it is waited for 300 ms. */
const PATIENCE = { timeoutMs: 800 };

const faults: Fault[] = [];
const tripe = await startTestTripe({ wiring: "grpc", nextFault: () => faults.shift() });
const { accountId } = tripe;
const steps = createSteps(tripe);
const payer = await steps.createPayer();
const scheduler = tripe.clientsOf("scheduler").transactions;

// Whatever went wrong here, the books balance with the bank's statement in the end.
afterAll(async () => {
  const statement = readStatement(tripe.statementFile);
  const databaseUrl = tripe.database.urls.audit;
  expect(await runAudit({ databaseUrl, statement, clock: systemClock, log: silentLog })).toEqual([]);
});

async function hold(): Promise<string> {
  const request = steps.chargeRequest(payer);
  const { charge } = await steps.charge({ ...request, charge: { ...request.charge, isHeld: true } });
  return charge.chargeId;
}

const read = async (chargeId: string) => (await steps.edge.reader.getCharge({ accountId, chargeId })).charge;
const age = (chargeId: string) =>
  selectRows(
    tripe,
    "update charge set capture_before_time = create_time - interval '2 min' where charge_id = $1",
    chargeId,
  );
const attemptsOf = async (chargeId: string, kind: string) =>
  selectRows<{ state: string }>(tripe, "select state from attempt where charge_id = $1 and kind = $2", chargeId, kind);

/** Sweeps until the bank, which may have to be connected to first, has brought something about. */
async function resolveUntil(chargeId: string, isOver: () => Promise<boolean>): Promise<void> {
  const look = async () => {
    await makeDue(tripe, chargeId);
    await scheduler.resolveAttempts({ limit: 500 });
    return isOver();
  };
  await expect.poll(look, { timeout: 10_000 }).toBe(true);
}

test("captureCharge takes a part of what is held: the charge, the attempt and the bank's statement agree", async () => {
  const chargeId = await hold();
  expect(await effectsOf(tripe, chargeId)).toEqual([]);
  const request = { ...steps.key(), chargeId, amountMinor: 1_500n };
  const { charge, decline, isReplayed } = await steps.edge.transactions.captureCharge(request);
  expect([charge?.capturedMinor, decline, isReplayed]).toEqual([1_500n, undefined, false]);
  expect(await effectsOf(tripe, chargeId)).toMatchObject([{ kind: "capture", amountMinor: 1_500n }]);
  const again = await steps.edge.transactions.captureCharge(request);
  expect(again).toMatchObject({ isReplayed: true, charge: { capturedMinor: 1_500n } });
  await steps.edge.transactions.createReturn({ ...steps.key(), chargeId, amountMinor: 0n });
  expect(await effectsOf(tripe, chargeId)).toMatchObject([
    { kind: "capture" },
    { kind: "refund", amountMinor: 1_500n },
  ]);
});

test.each(["lose", "drop", "reset"] as const)(
  "a capture over which the bank goes wrong (%s) is pending, never failed, and the resolver ends it as one effect",
  async (kind) => {
    const chargeId = await hold();
    faults.push({ kind, lateMs: 0 });
    const request = { ...steps.key(), chargeId, amountMinor: 700n };
    const pending = await steps.edge.transactions.captureCharge(request, PATIENCE);
    expect([pending.charge?.capturedMinor, pending.decline]).toEqual([0n, undefined]);
    await resolveUntil(chargeId, async () => (await read(chargeId))?.capturedMinor === 700n);
    expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
    const replayed = await steps.edge.transactions.captureCharge(request);
    expect(replayed).toMatchObject({ isReplayed: true, charge: { capturedMinor: 700n } });
  },
);

test("a crash after commit A of a capture, a void and an expiry is made good by the resolver", async () => {
  const [capturedId, voidedId, expiredId] = [await hold(), await hold(), await hold()];
  const { writer } = tripe.clientsOf("transactions");
  await writer.beginCapture({ ...steps.key(), attemptId: `att_c${capturedId}`, chargeId: capturedId });
  const ids = { attemptId: `att_v${voidedId}`, returnId: `re_${voidedId}` };
  await writer.beginReturn({ ...steps.key(), ...ids, chargeId: voidedId });
  await age(expiredId);
  expect((await writer.beginExpiries({ limit: 500 })).attempts).toHaveLength(1);
  await resolveUntil(capturedId, async () => (await read(capturedId))?.capturedMinor === 2_000n);
  await resolveUntil(voidedId, async () => (await read(voidedId))?.releaseTime !== undefined);
  await resolveUntil(expiredId, async () => (await read(expiredId))?.releaseTime !== undefined);
  const { return: record } = await steps.edge.reader.getReturn({ accountId, returnId: ids.returnId });
  expect(record).toMatchObject({ state: ReturnState.SUCCEEDED, isRelease: true, ledgerTransferId: "" });
});

test("a capture that reaches no bank is declined under its key; the hold can be captured when the bank is back", async () => {
  const chargeId = await hold();
  await tripe.stopBank();
  const request = { ...steps.key(), chargeId };
  try {
    const unsent = await steps.edge.transactions.captureCharge(request);
    expect(unsent).toMatchObject({ decline: { reason: "processing_error" }, charge: { capturedMinor: 0n } });
  } finally {
    await tripe.startBank();
  }
  expect(await steps.edge.transactions.captureCharge(request)).toMatchObject({ isReplayed: true, decline: {} });
  const capture = async () => {
    const { charge } = await steps.edge.transactions.captureCharge({ ...steps.key(), chargeId });
    return charge?.capturedMinor;
  };
  await expect.poll(capture, { timeout: 10_000 }).toBe(2_000n);
});

test("an expiry that reaches no bank is one attempt that waits, however often the sweep comes", async () => {
  const chargeId = await hold();
  await age(chargeId);
  await tripe.stopBank();
  try {
    expect(await scheduler.expireHolds({ limit: 10 })).toMatchObject({ takenCount: 1, releasedCount: 0 });
    for (let sweep = 0; sweep < 3; sweep += 1) {
      expect(await scheduler.expireHolds({ limit: 10 })).toMatchObject({ takenCount: 0 });
    }
    expect(await attemptsOf(chargeId, "reverse")).toEqual([{ state: "pending" }]);
  } finally {
    await tripe.startBank();
  }
  await resolveUntil(chargeId, async () => (await read(chargeId))?.releaseTime !== undefined);
  expect(await attemptsOf(chargeId, "reverse")).toEqual([{ state: "succeeded" }]);
});

test("captures and voids raced for holds: each hold has one end at the bank too", async () => {
  const holds = await Promise.all(Array.from({ length: 10 }, hold));
  await Promise.all(
    holds.flatMap((chargeId) => [
      steps.edge.transactions.captureCharge({ ...steps.key(), chargeId }).catch(() => undefined),
      steps.edge.transactions.createReturn({ ...steps.key(), chargeId }).catch(() => undefined),
    ]),
  );
  for (const chargeId of holds) {
    const [captures, releases] = await Promise.all([attemptsOf(chargeId, "capture"), attemptsOf(chargeId, "reverse")]);
    expect([...captures, ...releases]).toEqual([{ state: "succeeded" }]);
  }
});
