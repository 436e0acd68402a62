import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { SettleChargeRequest } from "../../gen/tripe/writer/v1/charges_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { chargeStates, outcomes } from "../_database/rows/words.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import type { BegunCharges } from "./begun-charges.ts";
import { feeOf, scheduleOf } from "./fee.ts";
import { declineOfOutcome } from "./outcomes.ts";
import { READ, SETTLE, type SettlingRow } from "./settle-charge-sql.ts";
import { createSettlement, type Settling } from "./settlement.ts";
import { snapshotOf } from "./snapshots.ts";

/** How long what is held can be captured: 7 days (3-money.md), Stripe's own, within which no scheme lets a hold lapse. */
const HOLD_MS = 7 * 24 * 3_600_000;

interface Plan {
  readonly settling: Settling<SettleChargeRequest>;
  readonly row: SettlingRow;
  readonly charge: Charge;
}

/** Creates commit B of charges. */
export function createSettleCharge(dependencies: WriterDependencies, begunCharges: BegunCharges) {
  return createSettlement<SettleChargeRequest, SettlingRow, Plan, { readonly charge: Charge }>(dependencies, {
    read: async (requests) => {
      const kept = requests.flatMap((request) => begunCharges.take(request) ?? []);
      const found = new Map(kept.map((row) => [row.attempt_id, row]));
      const others = requests.filter(({ attemptId }) => !found.has(attemptId));
      for (const row of await read(dependencies, others)) found.set(row.attempt_id, row);
      return found;
    },
    plan: (settling, row) => ({ settling, row, charge: chargeAfter(row, settling.outcome) }),
    settle: (plans) => settle(dependencies, plans),
    settled: ({ charge }) => ({ charge }),
    passed: (row) => ({ charge: chargeOf(row) }),
  });
}

async function read({ database }: WriterDependencies, requests: readonly SettleChargeRequest[]) {
  if (requests.length === 0) return [];
  return database.query<SettlingRow>(READ, [
    requests.map(({ accountId }) => accountId),
    requests.map(({ chargeId }) => chargeId),
    requests.map(({ attemptId }) => attemptId),
  ]);
}

async function settle(dependencies: WriterDependencies, plans: readonly Plan[]): Promise<Set<string>> {
  const column = <Value>(of: (plan: Plan) => Value): Value[] => plans.map(of);
  const rows = await dependencies.database.query<{ attempt_id: string }>(SETTLE, [
    column(({ settling }) => settling.request.accountId),
    column(({ charge }) => charge.chargeId),
    column(({ row }) => row.revision),
    column(({ settling }) => settling.request.attemptId),
    column(({ settling }) => settling.request.fence),
    column(({ settling }) => outcomes.word(settling.outcome.kind)),
    column(({ charge }) => chargeStates.word(charge.state)),
    column(({ charge }) => charge.decline?.reason ?? null),
    column(({ charge }) => charge.decline?.responseCode ?? null),
    column(({ charge }) => charge.authorizationCode),
    column(({ settling }) => settling.outcome.networkReference),
    column(({ row }) => feeOf({ amountMinor: row.amount_minor, currencyCode: row.currency_code }, scheduleOf(row))),
    column(({ charge }) => (charge.ledgerTransferId === "" ? null : charge.ledgerTransferId)),
    column(() => createId("evt_")),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ row }) => row.business_time),
    column(({ settling }) => settling.outcome.bank),
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
