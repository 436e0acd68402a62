import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Return, ReturnSchema, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { SettleReturnRequest } from "../../gen/tripe/writer/v1/returns_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { returnOf } from "../_database/rows/return.ts";
import { outcomes, returnStates } from "../_database/rows/words.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { declineOfOutcome } from "./outcomes.ts";
import { READ_CHARGE, READ_RETURN, SETTLE, type SettlingCharge, type SettlingReturn } from "./settle-return-sql.ts";
import { createSettlement, type Settling, type SettlingAttempt } from "./settlement.ts";
import { snapshotOf } from "./snapshots.ts";

/** What is read for one settlement. */
interface Rows extends SettlingAttempt {
  readonly record: SettlingReturn;
  readonly charge: SettlingCharge;
}

interface Plan {
  readonly settling: Settling<SettleReturnRequest>;
  readonly record: Return;
  readonly before: Return;
  readonly charge: Charge;
  readonly revision: number;
  readonly businessTime: Date;
}

/** Creates commit B of returns. */
export function createSettleReturn(dependencies: WriterDependencies) {
  return createSettlement<SettleReturnRequest, Rows, Plan, { readonly record: Return }>(dependencies, {
    read: (requests) => read(dependencies, requests),
    plan: planOf,
    settle: (plans) => settle(dependencies, plans),
    settled: ({ record }) => ({ record }),
    passed: ({ record }) => ({ record: returnOf(record) }),
  });
}

async function read({ database: { query } }: WriterDependencies, requests: readonly SettleReturnRequest[]) {
  const accountIds = requests.map(({ accountId }) => accountId);
  const attemptIds = requests.map(({ attemptId }) => attemptId);
  const returnIds = requests.map(({ returnId }) => returnId);
  const chargeIds = requests.map(({ chargeId }) => chargeId);
  const [charges, returns] = await Promise.all([
    query<SettlingCharge>(READ_CHARGE, [accountIds, attemptIds]),
    query<SettlingReturn>(READ_RETURN, [accountIds, returnIds, attemptIds, chargeIds]),
  ]);
  const chargeByAttempt = new Map(charges.map((row) => [row.attempt_id, row]));
  return new Map(
    returns.flatMap((record) => {
      const { attempt_id: attemptId, outcome, fence } = record;
      const charge = chargeByAttempt.get(attemptId);
      return charge === undefined ? [] : [[attemptId, { outcome, fence, record, charge }] as const];
    }),
  );
}

function planOf(settling: Plan["settling"], { record, charge }: Rows): Plan {
  const next = returnAfter(record, settling.outcome);
  const returnedMinor = charge.returned_minor - (next.state === ReturnState.FAILED ? record.amount_minor : 0n);
  return {
    settling,
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
    column(({ settling }) => settling.request.accountId),
    column(({ record }) => record.returnId),
    column(({ record }) => record.chargeId),
    column(({ revision }) => revision),
    column(({ settling }) => settling.request.attemptId),
    column(({ settling }) => settling.request.fence),
    column(({ settling }) => outcomes.word(settling.outcome.kind)),
    column(({ record }) => returnStates.word(record.state)),
    column(({ record }) => record.decline?.reason ?? null),
    column(({ record }) => record.decline?.responseCode ?? null),
    column(({ settling }) => settling.outcome.authorizationCode),
    column(({ record }) => record.networkReference),
    column(({ record }) => (record.ledgerTransferId === "" ? null : record.ledgerTransferId)),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(({ record }) => snapshotBytes(snapshotOf("return", record))),
    column(({ before }) => snapshotBytes(snapshotOf("return", before))),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ businessTime }) => businessTime),
    column(({ settling }) => settling.outcome.bank),
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
