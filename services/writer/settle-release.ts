import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Return, ReturnSchema, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { SettleReleaseRequest } from "../../gen/tripe/writer/v1/captures_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { returnOf } from "../_database/rows/return.ts";
import { outcomes } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { compareOutcomes, declineOfOutcome, refuseUnknown } from "./outcomes.ts";
import { READ, type SettlingHold } from "./settle-capture-sql.ts";
import { SETTLE } from "./settle-release-sql.ts";
import { READ_RETURN, type SettlingReturn } from "./settle-return-sql.ts";
import { snapshotOf } from "./snapshots.ts";

/** A charge after its release, its return when the merchant asked for it, and whether this call brought them there. */
export interface SettledRelease {
  readonly charge: Charge;
  readonly record?: Return;
  readonly isSettledHere: boolean;
}

/** The words of a charge may change while it is being released: its snapshot is then made again, so often at most. */
const TRIES_MAX = 5;

interface Command {
  readonly request: SettleReleaseRequest;
  readonly outcome: Outcome;
}

/** What was read of one command. */
interface Rows {
  readonly hold: SettlingHold | undefined;
  readonly record: SettlingReturn | undefined;
}

interface Plan {
  readonly command: Command;
  readonly hold: SettlingHold;
  readonly charge: Charge;
  readonly record: Return | undefined;
  readonly before: Return | undefined;
}

/** What became of one command of a batch (as in settle-charge.ts). */
type Result =
  | { readonly case: "settled"; readonly plan: Plan }
  | { readonly case: "passed"; readonly rows: Rows }
  | { readonly case: "changed" };

/** Creates commit B of releases. */
export function createSettleRelease(
  dependencies: WriterDependencies,
): (request: SettleReleaseRequest) => Promise<SettledRelease> {
  const submit = createBatcher<Command, Result>({
    keysOf: ({ request }) => [`${request.accountId} ${request.chargeId}`],
    run: (commands) => run(dependencies, commands),
  });
  return async (request) => {
    const { outcome } = request;
    assert(outcome !== undefined, "validation requires the outcome");
    refuseUnknown(outcome);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const result = await submit({ request, outcome });
      if (result.case === "settled") return answerOf(result.plan.charge, result.plan.record, true);
      if (result.case === "passed") return answerPassed(dependencies, { request, outcome }, result.rows);
    }
    return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${request.chargeId} keeps changing`);
  };
}

async function answerPassed(
  { database }: WriterDependencies,
  { request, outcome }: Command,
  { hold, record }: Rows,
): Promise<SettledRelease> {
  if (hold === undefined || hold.outcome !== null) {
    await compareOutcomes(database.query, { ...request, stored: hold?.outcome ?? undefined, heard: outcome });
  }
  assert(hold !== undefined, "an outcome that was compared has its row");
  return answerOf(chargeOf(hold), record && returnOf(record), false);
}

function answerOf(charge: Charge, record: Return | undefined, isSettledHere: boolean): SettledRelease {
  return { charge, isSettledHere, ...(record && { record }) };
}

async function run(dependencies: WriterDependencies, commands: readonly Command[]): Promise<Result[]> {
  const { query } = dependencies.database;
  const column = (of: (request: SettleReleaseRequest) => string) => commands.map(({ request }) => of(request));
  const accountIds = column((request) => request.accountId);
  const attemptIds = column((request) => request.attemptId);
  const chargeIds = column((request) => request.chargeId);
  const [holds, returns] = await Promise.all([
    query<SettlingHold>(READ, [accountIds, chargeIds, attemptIds]),
    query<SettlingReturn>(READ_RETURN, [accountIds, column((request) => request.returnId), attemptIds, chargeIds]),
  ]);
  const holdByAttempt = new Map(holds.map((row) => [row.attempt_id, row]));
  const returnByAttempt = new Map(returns.map((row) => [row.attempt_id, row]));
  const rowsOf = (id: string): Rows => ({ hold: holdByAttempt.get(id), record: returnByAttempt.get(id) });
  const plans = new Map(
    commands.flatMap((command) => {
      const { attemptId } = command.request;
      const plan = planOf(command, rowsOf(attemptId));
      return plan === undefined ? [] : [[attemptId, plan] as const];
    }),
  );
  const won = plans.size === 0 ? new Set<string>() : await settle(dependencies, [...plans.values()]);
  return commands.map(({ request: { attemptId } }) => {
    const plan = plans.get(attemptId);
    if (plan === undefined) return { case: "passed", rows: rowsOf(attemptId) };
    return won.has(attemptId) ? { case: "settled", plan } : { case: "changed" };
  });
}

function planOf(command: Command, { hold, record }: Rows): Plan | undefined {
  const { request, outcome } = command;
  if (hold === undefined || hold.outcome !== null) return undefined;
  if (outcome.kind === OutcomeKind.NOT_SENT && hold.fence !== request.fence) return undefined;
  assert((record === undefined) === (request.returnId === ""), "a release settles the return it was begun for");
  const settleTime = timestampFromDate(hold.business_time);
  const charge = chargeOf(hold);
  const isReleased = isReleasedBy(command);
  return {
    command,
    hold,
    charge: isReleased ? create(ChargeSchema, { ...charge, releaseTime: settleTime }) : charge,
    record: record && returnAfter({ ...returnOf(record), settleTime }, outcome),
    before: record && returnOf(record),
  };
}

/**
 * Whether the hold is over. A merchant's release is what the bank says. An expiry is over when the bank declines it too: a
 * bank that has no such hold any more let it lapse by itself, which is all that was wanted, and nobody can capture it.
 */
function isReleasedBy({ request, outcome }: Command): boolean {
  if (outcome.kind === OutcomeKind.ACCEPTED) return true;
  return request.returnId === "" && outcome.kind === OutcomeKind.DECLINED;
}

function returnAfter(record: Return, outcome: Outcome): Return {
  if (outcome.kind !== OutcomeKind.ACCEPTED) {
    return create(ReturnSchema, { ...record, state: ReturnState.FAILED, decline: declineOfOutcome(outcome) });
  }
  const { networkReference } = outcome;
  return create(ReturnSchema, { ...record, state: ReturnState.SUCCEEDED, networkReference });
}

async function settle(dependencies: WriterDependencies, plans: readonly Plan[]): Promise<Set<string>> {
  const column = <Value>(of: (plan: Plan) => Value): Value[] => plans.map(of);
  const declineOf = ({ command: { outcome } }: Plan) =>
    outcome.kind === OutcomeKind.ACCEPTED ? undefined : declineOfOutcome(outcome);
  const rows = await dependencies.database.query<{ attempt_id: string }>(SETTLE, [
    column(({ command }) => command.request.accountId),
    column(({ command }) => command.request.chargeId),
    column(({ command }) => nullIfEmpty(command.request.returnId)),
    column(({ hold }) => hold.revision),
    column(({ command }) => command.request.attemptId),
    column(({ command }) => command.request.fence),
    column(({ command }) => outcomes.word(command.outcome.kind)),
    column(({ command }) => (command.outcome.kind === OutcomeKind.ACCEPTED ? "succeeded" : "failed")),
    column(({ command }) => isReleasedBy(command)),
    column((plan) => declineOf(plan)?.reason ?? null),
    column((plan) => declineOf(plan)?.responseCode ?? null),
    column(({ command }) => command.outcome.authorizationCode),
    column(({ command }) => command.outcome.networkReference),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(({ record }) => returnBytes(record)),
    column(({ before }) => returnBytes(before)),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ hold }) => hold.business_time),
    column(({ command }) => command.outcome.bank),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}

function returnBytes(record: Return | undefined): Uint8Array | null {
  return record === undefined ? null : snapshotBytes(snapshotOf("return", record));
}
