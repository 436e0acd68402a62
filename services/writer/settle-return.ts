import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Return, ReturnSchema, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { SettleReturnRequest } from "../../gen/tripe/writer/v1/returns_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { returnOf } from "../_database/rows/return.ts";
import { outcomes, returnStates } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { compareOutcomes, declineOfOutcome, refuseUnknown } from "./outcomes.ts";
import { READ_CHARGE, READ_RETURN, SETTLE, type SettlingCharge, type SettlingReturn } from "./settle-return-sql.ts";
import { snapshotOf } from "./snapshots.ts";

/** A return at its end, and whether this call brought it there. */
export interface SettledReturn {
  readonly record: Return;
  readonly isSettledHere: boolean;
}

/** The charge may change while its return is being settled: its snapshot is then made again, so often at most. */
const TRIES_MAX = 5;

interface Command {
  readonly request: SettleReturnRequest;
  readonly outcome: Outcome;
}

interface Plan {
  readonly command: Command;
  readonly record: Return;
  readonly before: Return;
  readonly charge: Charge;
  readonly revision: number;
  readonly businessTime: Date;
}

/** What became of one command of a batch (as in settle-charge.ts). */
type Result =
  | { readonly case: "settled"; readonly record: Return }
  | { readonly case: "passed"; readonly row: SettlingReturn | undefined }
  | { readonly case: "changed" };

/** Creates commit B of returns. */
export function createSettleReturn(
  dependencies: WriterDependencies,
): (request: SettleReturnRequest) => Promise<SettledReturn> {
  const submit = createBatcher<Command, Result>({
    // An update from a join changes a charge once: two returns of one never share a batch.
    keysOf: ({ request }) => [`${request.accountId} ${request.chargeId}`],
    run: (commands) => run(dependencies, commands),
  });
  return async (request) => {
    const { outcome } = request;
    assert(outcome !== undefined, "validation requires the outcome");
    refuseUnknown(outcome);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const result = await submit({ request, outcome });
      if (result.case === "settled") return { record: result.record, isSettledHere: true };
      if (result.case === "passed") return answerPassed(dependencies, { request, outcome }, result.row);
    }
    return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge of ${request.returnId} keeps changing`);
  };
}

async function answerPassed(
  { database }: WriterDependencies,
  { request, outcome }: Command,
  row: SettlingReturn | undefined,
): Promise<SettledReturn> {
  if (row === undefined || row.outcome !== null) {
    await compareOutcomes(database.query, { ...request, stored: row?.outcome ?? undefined, heard: outcome });
  }
  assert(row !== undefined, "an outcome that was compared has its row");
  return { record: returnOf(row), isSettledHere: false };
}

async function run(dependencies: WriterDependencies, commands: readonly Command[]): Promise<Result[]> {
  const { query } = dependencies.database;
  const column = (of: (request: SettleReturnRequest) => string) => commands.map(({ request }) => of(request));
  const accountIds = column((request) => request.accountId);
  const attemptIds = column((request) => request.attemptId);
  const returnIds = column((request) => request.returnId);
  const chargeIds = column((request) => request.chargeId);
  const [charges, returns] = await Promise.all([
    query<SettlingCharge>(READ_CHARGE, [accountIds, attemptIds]),
    query<SettlingReturn>(READ_RETURN, [accountIds, returnIds, attemptIds, chargeIds]),
  ]);
  const chargeByAttempt = new Map(charges.map((row) => [row.attempt_id, row]));
  const returnByAttempt = new Map(returns.map((row) => [row.attempt_id, row]));
  const plans = new Map(
    commands.flatMap((command) => {
      const { attemptId } = command.request;
      const plan = planOf(command, chargeByAttempt.get(attemptId), returnByAttempt.get(attemptId));
      return plan === undefined ? [] : [[attemptId, plan] as const];
    }),
  );
  const won = plans.size === 0 ? new Set<string>() : await settle(dependencies, [...plans.values()]);
  return commands.map(({ request: { attemptId } }) => {
    const plan = plans.get(attemptId);
    if (plan === undefined) return { case: "passed", row: returnByAttempt.get(attemptId) };
    return won.has(attemptId) ? { case: "settled", record: plan.record } : { case: "changed" };
  });
}

function planOf(
  command: Command,
  charge: SettlingCharge | undefined,
  record: SettlingReturn | undefined,
): Plan | undefined {
  if (charge === undefined || record === undefined || record.outcome !== null) return undefined;
  if (command.outcome.kind === OutcomeKind.NOT_SENT && record.fence !== command.request.fence) return undefined;
  const next = returnAfter(record, command.outcome);
  const returnedMinor = charge.returned_minor - (next.state === ReturnState.FAILED ? record.amount_minor : 0n);
  return {
    command,
    record: next,
    before: returnOf(record),
    charge: create(ChargeSchema, { ...chargeOf(charge), returnedMinor }),
    revision: charge.revision,
    businessTime: record.business_time,
  };
}

async function settle(dependencies: WriterDependencies, plans: readonly Plan[]): Promise<Set<string>> {
  const column = <Value>(of: (plan: Plan) => Value): Value[] => plans.map(of);
  const rows = await dependencies.database.query<{ attempt_id: string }>(SETTLE, [
    column(({ command }) => command.request.accountId),
    column(({ record }) => record.returnId),
    column(({ record }) => record.chargeId),
    column(({ revision }) => revision),
    column(({ command }) => command.request.attemptId),
    column(({ command }) => command.request.fence),
    column(({ command }) => outcomes.word(command.outcome.kind)),
    column(({ record }) => returnStates.word(record.state)),
    column(({ record }) => record.decline?.reason ?? null),
    column(({ record }) => record.decline?.responseCode ?? null),
    column(({ command }) => command.outcome.authorizationCode),
    column(({ record }) => record.networkReference),
    column(({ record }) => (record.ledgerTransferId === "" ? null : record.ledgerTransferId)),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(({ record }) => snapshotBytes(snapshotOf("return", record))),
    column(({ before }) => snapshotBytes(snapshotOf("return", before))),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ businessTime }) => businessTime),
    column(({ command }) => command.outcome.bank),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}

/** A return as a final outcome leaves it. */
function returnAfter(row: SettlingReturn, outcome: Outcome): Return {
  const settleTime = timestampFromDate(row.business_time);
  const record = { ...returnOf(row), settleTime };
  if (outcome.kind !== OutcomeKind.ACCEPTED) {
    return create(ReturnSchema, { ...record, state: ReturnState.FAILED, decline: declineOfOutcome(outcome) });
  }
  return create(ReturnSchema, {
    ...record,
    state: ReturnState.SUCCEEDED,
    networkReference: outcome.networkReference,
    ledgerTransferId: createId("txn_"),
  });
}
