import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { runAudit } from "../_audit/audit.ts";
import { systemClock } from "../_runtime/clock.ts";
import { silentLog } from "../_runtime/log.ts";
import type { Fault, FaultKind } from "../bank/sandbox/faults.ts";
import { readStatement } from "../bank/sandbox/statement.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, effectsOf, makeDue, selectRows } from "./testing.ts";

/** As patient as a test can be with a bank that does not answer: it is waited for 300 ms. */
const PATIENCE = { timeoutMs: 800 };

const faults: Fault[] = [];
const tripe = await startTestTripe({ nextFault: () => faults.shift() });
const { accountId } = tripe;

function setup() {
  faults.length = 0;
  const steps = createSteps(tripe);
  const { transactions } = tripe.clientsOf("scheduler");
  const read = async (chargeId: string) => (await steps.edge.reader.getCharge({ accountId, chargeId })).charge;
  /** One sweep, once what is unfinished of a charge is due. */
  const resolve = async (chargeId: string) => {
    await makeDue(tripe, chargeId);
    return (await transactions.resolveAttempts({ limit: 500 })).settledCount;
  };
  /** One sweep whose question to the bank is answered with something that cannot be read. */
  const resolveUnheard = (chargeId: string) => {
    faults.push({ kind: "malformed", lateMs: 0 });
    return resolve(chargeId);
  };
  /** Makes attempts older. A bank's messages name an attempt by when it was begun, without the year: years leave what it has on record. */
  const age = (chargeId: string, interval: "4 years" | "72 hours" | "1 hour") =>
    selectRows(
      tripe,
      "update attempt set begin_time = begin_time - $2::interval where charge_id = $1",
      chargeId,
      interval,
    );
  /** A charge over which the bank went wrong, and then could not be understood for so long that Tripe gave it up. */
  const giveUp = async (kind: FaultKind) => {
    const request = steps.chargeRequest(await steps.createPayer());
    faults.push({ kind, lateMs: 0 });
    const { charge } = await steps.edge.transactions.createCharge(request, PATIENCE);
    const chargeId = charge?.chargeId ?? "";
    expect(charge?.state).toBe(ChargeState.PENDING);
    await age(chargeId, kind === "drop" ? "72 hours" : "4 years");
    await resolveUnheard(chargeId);
    return { request, chargeId };
  };
  const alerts = (chargeId: string) =>
    selectRows(
      tripe,
      `select a.reason, a.resolve_time is null as is_open from alert a join attempt t on t.attempt_id = a.object_id
        where t.charge_id = $1 order by a.alert_id`,
      chargeId,
    );
  const entries = (chargeId: string) =>
    selectRows(
      tripe,
      `select t.kind, e.ledger_account, e.amount_minor::int as amount from ledger_transfer t
        join ledger_entry e using (account_id, ledger_transfer_id) where t.charge_id = $1 order by 1, 2`,
      chargeId,
    );
  return { ...steps, read, resolve, resolveUnheard, giveUp, alerts, entries, age };
}

function findings() {
  const databaseUrl = tripe.database.urls.audit;
  return runAudit({ databaseUrl, statement: readStatement(tripe.statementFile), clock: systemClock, log: silentLog });
}

test("a charge that no bank answers for in 72 hours fails and calls a person, until the bank says that it never happened", async () => {
  const { giveUp, read, alerts, charge, resolve, resolveUnheard, age } = setup();
  const { request, chargeId } = await giveUp("drop");
  expect(await read(chargeId)).toMatchObject({
    state: ChargeState.FAILED,
    decline: { reason: "processing_error", responseCode: "" },
  });
  expect(await charge(request)).toMatchObject({ isReplayed: true, charge: { state: ChargeState.FAILED } });
  expect(await alerts(chargeId)).toEqual([{ reason: "ATTEMPT_GIVEN_UP", is_open: true }]);
  // Asked again and not heard, nothing happens a second time.
  expect(await resolveUnheard(chargeId)).toBe(0);
  expect(await alerts(chargeId)).toHaveLength(1);
  expect((await findings()).map(({ name }) => name)).toEqual(["alerts-resolved"]);
  // "Never heard of it" is no answer while what was sent last may still take effect.
  expect(await resolve(chargeId)).toBe(0);
  await age(chargeId, "1 hour");
  expect(await resolve(chargeId)).toBe(1);
  expect(await alerts(chargeId)).toEqual([{ reason: "ATTEMPT_GIVEN_UP", is_open: false }]);
  expect((await read(chargeId))?.state).toBe(ChargeState.FAILED);
  expect(await effectsOf(tripe, chargeId)).toEqual([]);
  const attempts = "select state, outcome from attempt where charge_id = $1";
  expect(await selectRows(tripe, attempts, chargeId)).toEqual([{ state: "failed", outcome: "not_sent" }]);
  expect(await findings()).toEqual([]);
});

test("a bank's late yes is booked, and the money given back by itself, once", async () => {
  const { giveUp, read, alerts, entries, resolve, charge } = setup();
  const { request, chargeId } = await giveUp("lose");
  const effects = async () => (await effectsOf(tripe, chargeId)).map(({ kind }) => kind);
  expect([await effects(), await entries(chargeId)]).toEqual([["purchase"], []]);
  const amount = 2_000;
  const lateCharge = [
    { kind: "late_charge", ledger_account: "bank_clearing", amount },
    { kind: "late_charge", ledger_account: "suspense", amount: -amount },
  ];
  expect(await resolve(chargeId)).toBe(1);
  expect(await entries(chargeId)).toEqual(lateCharge);
  expect(await findings()).toEqual([]);
  expect(await resolve(chargeId)).toBe(1);
  expect(await entries(chargeId)).toEqual([
    ...lateCharge,
    { kind: "late_return", ledger_account: "bank_clearing", amount: -amount },
    { kind: "late_return", ledger_account: "suspense", amount },
  ]);
  expect(await effects()).toEqual(["purchase", "reversal"]);
  expect(await alerts(chargeId)).toEqual([{ reason: "ATTEMPT_GIVEN_UP", is_open: false }]);
  // The merchant was told that it failed, and that stays true.
  expect(await read(chargeId)).toMatchObject({ state: ChargeState.FAILED, capturedMinor: 0n });
  expect(await charge(request)).toMatchObject({ isReplayed: true, charge: { state: ChargeState.FAILED } });
  expect(await resolve(chargeId)).toBe(0);
  expect(await findings()).toEqual([]);
});

test("a late return whose answer is lost is found, and given back once", async () => {
  const { giveUp, entries, resolve } = setup();
  const { chargeId } = await giveUp("lose");
  expect(await resolve(chargeId)).toBe(1);
  // The question, then the reversal, of which only its repeat is answered.
  faults.push({ kind: "double", lateMs: 0 }, { kind: "lose", lateMs: 0 });
  await resolve(chargeId);
  await resolve(chargeId);
  expect(await entries(chargeId)).toHaveLength(4);
  expect((await effectsOf(tripe, chargeId)).map(({ kind }) => kind)).toEqual(["purchase", "reversal"]);
  expect(await findings()).toEqual([]);
});

test("a return is never given up: after 72 hours a person is called once, and it ends as the bank says", async () => {
  const { edge, key, createPayer, chargeRequest, charge, age, resolve, resolveUnheard, alerts } = setup();
  const { chargeId } = (await charge(chargeRequest(await createPayer()))).charge;
  faults.push({ kind: "lose", lateMs: 0 });
  const request = { ...key(), chargeId, amountMinor: 500n };
  await edge.transactions.createReturn(request, PATIENCE);
  await age(chargeId, "4 years");
  await resolveUnheard(chargeId);
  await resolveUnheard(chargeId);
  expect(await alerts(chargeId)).toEqual([{ reason: "ATTEMPT_OVERDUE", is_open: true }]);
  const stateOf = async () => (await edge.reader.listReturns({ accountId, chargeId })).returns[0]?.state;
  expect(await stateOf()).toBe(ReturnState.PENDING);
  await resolve(chargeId);
  expect(await stateOf()).toBe(ReturnState.SUCCEEDED);
  expect((await effectsOf(tripe, chargeId)).map(({ kind }) => kind)).toEqual(["purchase", "refund"]);
  expect(await alerts(chargeId)).toEqual([{ reason: "ATTEMPT_OVERDUE", is_open: false }]);
  expect(await findings()).toEqual([]);
});
