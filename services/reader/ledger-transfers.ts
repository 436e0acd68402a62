import { create } from "@bufbuild/protobuf";
import { type LedgerTransfer, LedgerTransferSchema } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { ledgerTransferKinds } from "../_database/rows/words.ts";

/** A transfer with its entries folded: what the bank moved, and what Tripe kept. */
export const findLedgerTransfer = {
  name: "ledger_transfer",
  key: "ledger_transfer_id",
  text: `select l.account_id as of_account_id, l.ledger_transfer_id, l.kind, l.charge_id, l.return_id, l.create_time,
      e.currency_code, sum(e.amount_minor) filter (where e.ledger_account = 'bank_clearing')::bigint as gross_minor,
      coalesce(-sum(e.amount_minor) filter (where e.ledger_account = 'fees'), 0)::bigint as fee_minor
    from unnest((select $1::text[]), (select $2::text[])) as i(account_id, id)
    join ledger_transfer l on l.account_id = i.account_id and l.ledger_transfer_id = i.id
      and l.kind in ('charge', 'return')
    join ledger_entry e on e.account_id = l.account_id and e.ledger_transfer_id = l.ledger_transfer_id
    group by l.account_id, l.ledger_transfer_id, e.currency_code`,
};

/** A row of `findLedgerTransfer`. */
export interface LedgerTransferRow {
  readonly ledger_transfer_id: string;
  readonly kind: string;
  readonly charge_id: string;
  readonly return_id: string | null;
  readonly create_time: Date;
  readonly currency_code: string;
  readonly gross_minor: bigint;
  readonly fee_minor: bigint;
}

/** The transfer of a row. */
export function ledgerTransferOf(row: LedgerTransferRow): LedgerTransfer {
  return create(LedgerTransferSchema, {
    ledgerTransferId: row.ledger_transfer_id,
    kind: ledgerTransferKinds.of(row.kind),
    chargeId: row.charge_id,
    returnId: row.return_id ?? "",
    grossMinor: row.gross_minor,
    feeMinor: row.fee_minor,
    currencyCode: row.currency_code,
    createTime: timestampOf(row.create_time),
  });
}
