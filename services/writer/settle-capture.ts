import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Decline } from "../../gen/tripe/billing/v1/decline_pb.ts";
import type { SettleCaptureRequest } from "../../gen/tripe/writer/v1/captures_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { declineOf } from "../_database/rows/fields.ts";
import { outcomes } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { type FeeSchedule, feeOf } from "./fee.ts";
import { compareOutcomes, declineOfOutcome, refuseUnknown } from "./outcomes.ts";
import { READ, SETTLE, type SettlingHold } from "./settle-capture-sql.ts";
import { snapshotOf } from "./snapshots.ts";

/** A charge after its capture, why that failed, and whether this call brought it there. */
export interface SettledCapture {
  readonly charge: Charge;
  readonly decline?: Decline;
  readonly isSettledHere: boolean;
}

/** The words of a charge may change while it is being captured: the snapshot is then made again, so often at most. */
const TRIES_MAX = 5;

interface Command {
  readonly request: SettleCaptureRequest;
  readonly outcome: Outcome;
}

interface Plan {
  readonly command: Command;
  readonly row: SettlingHold;
  readonly charge: Charge;
  readonly decline: Decline | undefined;
}

/** What became of one command of a batch (as in settle-charge.ts). */
type Result =
  | { readonly case: "settled"; readonly plan: Plan }
  | { readonly case: "passed"; readonly row: SettlingHold | undefined }
  | { readonly case: "changed" };

/** Creates commit B of captures, for a schedule of fees: what is captured is what the fee is of. */
export function createSettleCapture(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
): (request: SettleCaptureRequest) => Promise<SettledCapture> {
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
      if (result.case === "settled") return answerOf(result.plan.charge, result.plan.decline, true);
      if (result.case === "passed") return answerPassed(dependencies, { request, outcome }, result.row);
    }
    return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${request.chargeId} keeps changing`);
  };
}

async function answerPassed(
  { database }: WriterDependencies,
  { request, outcome }: Command,
  row: SettlingHold | undefined,
): Promise<SettledCapture> {
  if (row === undefined || row.outcome !== null) {
    await compareOutcomes(database.query, { ...request, stored: row?.outcome ?? undefined, heard: outcome });
  }
  assert(row !== undefined, "an outcome that was compared has its row");
  return answerOf(chargeOf(row), declineOf(row.attempt_decline_reason, row.attempt_response_code), false);
}

function answerOf(charge: Charge, decline: Decline | undefined, isSettledHere: boolean): SettledCapture {
  return { charge, isSettledHere, ...(decline && { decline }) };
}

async function run(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
  commands: readonly Command[],
): Promise<Result[]> {
  const rows = await dependencies.database.query<SettlingHold>(READ, [
    commands.map(({ request }) => request.accountId),
    commands.map(({ request }) => request.chargeId),
    commands.map(({ request }) => request.attemptId),
  ]);
  const byAttempt = new Map(rows.map((row) => [row.attempt_id, row]));
  const plans = new Map(
    commands.flatMap((command) => {
      const row = byAttempt.get(command.request.attemptId);
      if (row === undefined || !mayEnd(row, command)) return [];
      return [[row.attempt_id, planOf(command, row)] as const];
    }),
  );
  const won = plans.size === 0 ? new Set<string>() : await settle(dependencies, fees, [...plans.values()]);
  return commands.map(({ request: { attemptId } }) => {
    const plan = plans.get(attemptId);
    if (plan === undefined) return { case: "passed", row: byAttempt.get(attemptId) };
    return won.has(attemptId) ? { case: "settled", plan } : { case: "changed" };
  });
}

function mayEnd({ outcome, fence }: SettlingHold, command: Command): boolean {
  return outcome === null && (command.outcome.kind !== OutcomeKind.NOT_SENT || fence === command.request.fence);
}

/** A charge as the end of its capture leaves it: captured, or held as before. */
function planOf(command: Command, row: SettlingHold): Plan {
  const charge = chargeOf(row);
  if (command.outcome.kind !== OutcomeKind.ACCEPTED) {
    return { command, row, charge, decline: declineOfOutcome(command.outcome) };
  }
  const taken = { capturedMinor: row.attempt_minor, ledgerTransferId: createId("txn_") };
  return { command, row, charge: create(ChargeSchema, { ...charge, ...taken }), decline: undefined };
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
    column(({ decline }) => (decline === undefined ? "succeeded" : "failed")),
    column(({ decline }) => decline?.reason ?? null),
    column(({ decline }) => decline?.responseCode ?? null),
    column(({ command }) => command.outcome.authorizationCode),
    column(({ command }) => command.outcome.networkReference),
    column(({ row }) => feeOf(row.attempt_minor, fees)),
    column(({ charge }) => (charge.ledgerTransferId === "" ? null : charge.ledgerTransferId)),
    column(() => createId("evt_")),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ row }) => row.business_time),
    column(({ command }) => command.outcome.bank),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}
