import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { SettleChargeRequest } from "../../gen/tripe/writer/v1/charges_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { chargeStates, outcomes } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { type FeeSchedule, feeOf } from "./fee.ts";
import { compareOutcomes, declineOfOutcome, refuseUnknown } from "./outcomes.ts";
import { READ, SETTLE, type SettlingRow } from "./settle-charge-sql.ts";
import { snapshotOf } from "./snapshots.ts";

/** A charge at its end, and whether this call brought it there. */
export interface SettledCharge {
  readonly charge: Charge;
  readonly isSettledHere: boolean;
}

/** The words of a charge may change while it is being settled: the snapshot is then made again, so often at most. */
const TRIES_MAX = 5;

/** How long what is held can be captured: 7 days (3-money.md), Stripe's own, within which no scheme lets a hold lapse. */
const HOLD_MS = 7 * 24 * 3_600_000;

interface Command {
  readonly request: SettleChargeRequest;
  readonly outcome: Outcome;
}

/** What became of one command of a batch. Refusals are made outside of it: they are nobody else's. */
type Result =
  | { readonly case: "settled"; readonly charge: Charge }
  /** The attempt had ended, is not there, or is somebody else's by now. */
  | { readonly case: "passed"; readonly row: SettlingRow | undefined }
  /** The charge changed between the two statements: to be tried again. */
  | { readonly case: "changed" };

/** Creates commit B of charges, for a schedule of fees. */
export function createSettleCharge(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
): (request: SettleChargeRequest) => Promise<SettledCharge> {
  const submit = createBatcher<Command, Result>({
    keysOf: ({ request }) => [`${request.accountId} ${request.chargeId}`],
    run: (commands) => run(dependencies, fees, commands),
  });
  return async (request) => {
    const { outcome } = request;
    assert(outcome !== undefined, "validation requires the outcome");
    refuseUnknown(outcome);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const result = await submit({ request, outcome });
      if (result.case === "settled") return { charge: result.charge, isSettledHere: true };
      if (result.case === "passed") return answerPassed(dependencies, { request, outcome }, result.row);
    }
    return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${request.chargeId} keeps changing`);
  };
}

async function answerPassed(
  { database }: WriterDependencies,
  { request, outcome }: Command,
  row: SettlingRow | undefined,
): Promise<SettledCharge> {
  if (row === undefined || row.outcome !== null) {
    await compareOutcomes(database.query, { ...request, stored: row?.outcome ?? undefined, heard: outcome });
  }
  assert(row !== undefined, "an outcome that was compared has its row");
  return { charge: chargeOf(row), isSettledHere: false };
}

async function run(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
  commands: readonly Command[],
): Promise<Result[]> {
  const rows = await dependencies.database.query<SettlingRow>(READ, [
    commands.map(({ request }) => request.accountId),
    commands.map(({ request }) => request.chargeId),
    commands.map(({ request }) => request.attemptId),
  ]);
  const byAttempt = new Map(rows.map((row) => [row.attempt_id, row]));
  const plans = new Map(
    commands.flatMap((command) => {
      const row = byAttempt.get(command.request.attemptId);
      if (row === undefined || !mayEnd(row, command)) return [];
      return [[row.attempt_id, { command, row, charge: chargeAfter(row, command.outcome) }] as const];
    }),
  );
  const won = plans.size === 0 ? new Set<string>() : await settle(dependencies, fees, [...plans.values()]);
  return commands.map(({ request: { attemptId } }) => {
    const plan = plans.get(attemptId);
    if (plan === undefined) return { case: "passed", row: byAttempt.get(attemptId) };
    return won.has(attemptId) ? { case: "settled", charge: plan.charge } : { case: "changed" };
  });
}

function mayEnd({ outcome, fence }: SettlingRow, command: Command): boolean {
  return outcome === null && (command.outcome.kind !== OutcomeKind.NOT_SENT || fence === command.request.fence);
}

interface Plan {
  readonly command: Command;
  readonly row: SettlingRow;
  readonly charge: Charge;
}

async function settle(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
  plans: readonly Plan[],
): Promise<Set<string>> {
  const column = <Value>(of: (plan: Plan) => Value): Value[] => plans.map(of);
  const rows = await dependencies.database.query<{ attempt_id: string }>(SETTLE, [
    column(({ command }) => command.request.accountId),
    column(({ charge }) => charge.chargeId),
    column(({ row }) => row.revision),
    column(({ command }) => command.request.attemptId),
    column(({ command }) => command.request.fence),
    column(({ command }) => outcomes.word(command.outcome.kind)),
    column(({ charge }) => chargeStates.word(charge.state)),
    column(({ charge }) => charge.decline?.reason ?? null),
    column(({ charge }) => charge.decline?.responseCode ?? null),
    column(({ charge }) => charge.authorizationCode),
    column(({ command }) => command.outcome.networkReference),
    column(({ row }) => feeOf(row.amount_minor, fees)),
    column(({ charge }) => (charge.ledgerTransferId === "" ? null : charge.ledgerTransferId)),
    column(() => createId("evt_")),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ row }) => row.business_time),
    column(({ command }) => command.outcome.bank),
    column(({ charge }) => (charge.captureBeforeTime ? timestampDate(charge.captureBeforeTime) : null)),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}

/** A charge as a final outcome leaves it: the one place that says so; the CHECKs of the table say it again. */
function chargeAfter(row: SettlingRow, outcome: Outcome): Charge {
  const charge = chargeOf(row);
  const settleTime = timestampFromDate(row.business_time);
  if (outcome.kind === OutcomeKind.ACCEPTED) {
    const taken = charge.isHeld
      ? { captureBeforeTime: timestampFromMs(row.business_time.getTime() + HOLD_MS) }
      : { capturedMinor: row.amount_minor, ledgerTransferId: createId("txn_") };
    const { authorizationCode } = outcome;
    return create(ChargeSchema, { ...charge, ...taken, state: ChargeState.SUCCEEDED, authorizationCode, settleTime });
  }
  const decline = declineOfOutcome(outcome);
  return create(ChargeSchema, { ...charge, state: ChargeState.FAILED, decline, settleTime });
}
