import { create } from "@bufbuild/protobuf";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Decline } from "../../gen/tripe/billing/v1/decline_pb.ts";
import type { SettleCaptureRequest } from "../../gen/tripe/writer/v1/captures_pb.ts";
import { chargeOf } from "../_database/rows/charge.ts";
import { declineOf } from "../_database/rows/fields.ts";
import { outcomes } from "../_database/rows/words.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { feeOf, scheduleOf } from "./fee.ts";
import { declineOfOutcome } from "./outcomes.ts";
import { READ, SETTLE, type SettlingHold } from "./settle-capture-sql.ts";
import { createSettlement, type Settling } from "./settlement.ts";
import { snapshotOf } from "./snapshots.ts";

/** A charge after its capture, and why that failed. */
export interface SettledCapture {
  readonly charge: Charge;
  readonly decline?: Decline;
}

interface Plan {
  readonly settling: Settling<SettleCaptureRequest>;
  readonly row: SettlingHold;
  readonly charge: Charge;
  readonly decline: Decline | undefined;
}

/** Creates commit B of captures: what is captured is what the fee is of. */
export function createSettleCapture(dependencies: WriterDependencies) {
  return createSettlement<SettleCaptureRequest, SettlingHold, Plan, SettledCapture>(dependencies, {
    read: async (requests) => {
      const rows = await dependencies.database.query<SettlingHold>(READ, [
        requests.map(({ accountId }) => accountId),
        requests.map(({ chargeId }) => chargeId),
        requests.map(({ attemptId }) => attemptId),
      ]);
      return new Map(rows.map((row) => [row.attempt_id, row]));
    },
    plan: planOf,
    settle: (plans) => settle(dependencies, plans),
    settled: ({ charge, decline }) => answerOf(charge, decline),
    passed: (row) => answerOf(chargeOf(row), declineOf(row.attempt_decline_reason, row.attempt_response_code)),
  });
}

function answerOf(charge: Charge, decline: Decline | undefined): SettledCapture {
  return { charge, ...(decline && { decline }) };
}

/** A charge as the end of its capture leaves it: captured, or held as before. */
function planOf(settling: Plan["settling"], row: SettlingHold): Plan {
  const charge = chargeOf(row);
  if (settling.outcome.kind !== OutcomeKind.ACCEPTED) {
    return { settling, row, charge, decline: declineOfOutcome(settling.outcome) };
  }
  const taken = { capturedMinor: row.attempt_minor, ledgerTransferId: createId("txn_") };
  return { settling, row, charge: create(ChargeSchema, { ...charge, ...taken }), decline: undefined };
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
    column(({ decline }) => (decline === undefined ? "succeeded" : "failed")),
    column(({ decline }) => decline?.reason ?? null),
    column(({ decline }) => decline?.responseCode ?? null),
    column(({ settling }) => settling.outcome.authorizationCode),
    column(({ settling }) => settling.outcome.networkReference),
    column(({ row }) => feeOf({ amountMinor: row.attempt_minor, currencyCode: row.currency_code }, scheduleOf(row))),
    column(({ charge }) => (charge.ledgerTransferId === "" ? null : charge.ledgerTransferId)),
    column(() => createId("evt_")),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ row }) => row.business_time),
    column(({ settling }) => settling.outcome.bank),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}
