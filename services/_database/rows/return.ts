import type { Return } from "../../../gen/tripe/billing/v1/return_pb.ts";
import { declineOf, timestampOf } from "./fields.ts";
import { returnStates } from "./words.ts";

/** The columns of a return, from `charge_return r` and `account a`. */
export const returnColumns = `r.return_id, r.charge_id, r.state, r.amount_minor, r.currency_code, r.reason,
  r.decline_reason, r.response_code, r.metadata, r.network_reference, r.ledger_transfer_id, r.is_release,
  r.create_time, r.settle_time, a.is_live`;

/** A row of `returnColumns`. */
export interface ReturnRow {
  readonly return_id: string;
  readonly charge_id: string;
  readonly state: string;
  readonly amount_minor: bigint;
  readonly currency_code: string;
  readonly reason: string;
  readonly decline_reason: string | null;
  readonly response_code: string | null;
  readonly metadata: Record<string, string>;
  readonly network_reference: string;
  readonly ledger_transfer_id: string | null;
  readonly is_release: boolean;
  readonly create_time: Date;
  readonly settle_time: Date | null;
  readonly is_live: boolean;
}

/** The return of a row. */
export function returnOf(row: ReturnRow): Return {
  return {
    $typeName: "tripe.billing.v1.Return",
    returnId: row.return_id,
    chargeId: row.charge_id,
    amount: { $typeName: "tripe.type.v1.Money", amountMinor: row.amount_minor, currencyCode: row.currency_code },
    state: returnStates.of(row.state),
    reason: row.reason,
    decline: declineOf(row.decline_reason, row.response_code),
    metadata: row.metadata,
    ledgerTransferId: row.ledger_transfer_id ?? "",
    networkReference: row.network_reference,
    isRelease: row.is_release,
    createTime: timestampOf(row.create_time),
    settleTime: timestampOf(row.settle_time),
    isLive: row.is_live,
  };
}
