import type Stripe from "stripe";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type LedgerTransfer, LedgerTransferKind } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import type { Return } from "../../gen/tripe/billing/v1/return_pb.ts";
import { chargeView } from "./charge.ts";
import { expandable } from "./expandable.ts";
import { returnView } from "./return.ts";
import { amountOf, currencyOf, secondsOf, wordOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a booking was asked to be shown whole: what it booked. */
export interface LedgerTransferExpansions {
  readonly source?: Charge | Return | undefined;
}

/** Shows a booking of the ledger, as a "balance_transaction". Tripe pays nothing out later: all of it is available at once. */
export function ledgerTransferView(
  transfer: LedgerTransfer,
  expansions: LedgerTransferExpansions = {},
): Wire<Stripe.BalanceTransaction> {
  const type = wordOf(types, transfer.kind);
  const currency = currencyOf(transfer.currencyCode);
  const created = secondsOf(transfer.createTime);
  return {
    id: transfer.ledgerTransferId,
    object: "balance_transaction",
    amount: amountOf(transfer.grossMinor),
    available_on: created,
    balance_type: "payments",
    created,
    currency,
    description: null,
    exchange_rate: null,
    fee: amountOf(transfer.feeMinor),
    fee_details: feeDetails(transfer.feeMinor, currency),
    net: amountOf(transfer.grossMinor - transfer.feeMinor),
    reporting_category: type,
    source: expandable(transfer.returnId === "" ? transfer.chargeId : transfer.returnId, expansions.source, bookedView),
    status: "available",
    type,
  };
}

// What a bank took late is not the merchant's, and no reader lists it; its word is there for whoever is shown it all the same.
const types = {
  [LedgerTransferKind.CHARGE]: "charge",
  [LedgerTransferKind.RETURN]: "refund",
  [LedgerTransferKind.LATE_CHARGE]: "adjustment",
  [LedgerTransferKind.LATE_RETURN]: "adjustment",
} as const;

function feeDetails(feeMinor: bigint, currency: string): Wire<Stripe.BalanceTransaction.FeeDetail>[] {
  if (feeMinor === 0n) return [];
  return [
    { amount: amountOf(feeMinor), application: null, currency, description: "Processing fee", type: "stripe_fee" },
  ];
}

function bookedView(noun: Charge | Return): Wire<Stripe.Charge> | Wire<Stripe.Refund> {
  return noun.$typeName === "tripe.billing.v1.Charge" ? chargeView(noun) : returnView(noun);
}
