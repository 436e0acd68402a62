import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Return, ReturnSchema, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { SettleReleaseRequest } from "../../gen/tripe/writer/v1/captures_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { returnOf } from "../_database/rows/return.ts";
import { outcomes } from "../_database/rows/words.ts";
import { assert } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { declineOfOutcome } from "./outcomes.ts";
import { READ, type SettlingHold } from "./settle-capture-sql.ts";
import { SETTLE } from "./settle-release-sql.ts";
import { READ_RETURN, type SettlingReturn } from "./settle-return-sql.ts";
import { createSettlement, type Settling, type SettlingAttempt } from "./settlement.ts";
import { snapshotOf } from "./snapshots.ts";

/** A charge after its release, and its return when the merchant asked for it. */
export interface SettledRelease {
  readonly charge: Charge;
  readonly record?: Return;
}

/** What is read for one settlement. */
interface Rows extends SettlingAttempt {
  readonly hold: SettlingHold;
  readonly record: SettlingReturn | undefined;
}

interface Plan {
  readonly settling: Settling<SettleReleaseRequest>;
  readonly hold: SettlingHold;
  readonly charge: Charge;
  readonly record: Return | undefined;
  readonly before: Return | undefined;
}

/** Creates commit B of releases. */
export function createSettleRelease(dependencies: WriterDependencies) {
  return createSettlement<SettleReleaseRequest, Rows, Plan, SettledRelease>(dependencies, {
    read: (requests) => read(dependencies, requests),
    plan: planOf,
    settle: (plans) => settle(dependencies, plans),
    settled: ({ charge, record }) => answerOf(charge, record),
    passed: ({ hold, record }) => answerOf(chargeOf(hold), record && returnOf(record)),
  });
}

function answerOf(charge: Charge, record: Return | undefined): SettledRelease {
  return { charge, ...(record && { record }) };
}

async function read({ database: { query } }: WriterDependencies, requests: readonly SettleReleaseRequest[]) {
  const accountIds = requests.map(({ accountId }) => accountId);
  const attemptIds = requests.map(({ attemptId }) => attemptId);
  const returnIds = requests.map(({ returnId }) => returnId);
  const chargeIds = requests.map(({ chargeId }) => chargeId);
  const [holds, returns] = await Promise.all([
    query<SettlingHold>(READ, [accountIds, chargeIds, attemptIds]),
    query<SettlingReturn>(READ_RETURN, [accountIds, returnIds, attemptIds, chargeIds]),
  ]);
  const returnByAttempt = new Map(returns.map((row) => [row.attempt_id, row]));
  return new Map(
    holds.map((hold) => {
      const { attempt_id: attemptId, outcome, fence } = hold;
      return [attemptId, { outcome, fence, hold, record: returnByAttempt.get(attemptId) }];
    }),
  );
}

function planOf(settling: Plan["settling"], { hold, record }: Rows): Plan {
  const { request, outcome } = settling;
  assert((record === undefined) === (request.returnId === ""), "a release settles the return it was begun for");
  const settleTime = timestampFromDate(hold.business_time);
  const charge = chargeOf(hold);
  const isReleased = isReleasedBy(settling);
  return {
    settling,
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
function isReleasedBy({ request, outcome }: Plan["settling"]): boolean {
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
  const declineOf = ({ settling: { outcome } }: Plan) =>
    outcome.kind === OutcomeKind.ACCEPTED ? undefined : declineOfOutcome(outcome);
  const rows = await dependencies.database.query<{ attempt_id: string }>(SETTLE, [
    column(({ settling }) => settling.request.accountId),
    column(({ settling }) => settling.request.chargeId),
    column(({ settling }) => nullIfEmpty(settling.request.returnId)),
    column(({ hold }) => hold.revision),
    column(({ settling }) => settling.request.attemptId),
    column(({ settling }) => settling.request.fence),
    column(({ settling }) => outcomes.word(settling.outcome.kind)),
    column(({ settling }) => (settling.outcome.kind === OutcomeKind.ACCEPTED ? "succeeded" : "failed")),
    column(({ settling }) => isReleasedBy(settling)),
    column((plan) => declineOf(plan)?.reason ?? null),
    column((plan) => declineOf(plan)?.responseCode ?? null),
    column(({ settling }) => settling.outcome.authorizationCode),
    column(({ settling }) => settling.outcome.networkReference),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(({ record }) => returnBytes(record)),
    column(({ before }) => returnBytes(before)),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ hold }) => hold.business_time),
    column(({ settling }) => settling.outcome.bank),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}

function returnBytes(record: Return | undefined): Uint8Array | null {
  return record === undefined ? null : snapshotBytes(snapshotOf("return", record));
}
