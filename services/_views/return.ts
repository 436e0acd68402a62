import type Stripe from "stripe";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { LedgerTransfer } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import { type Return, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { chargeView } from "./charge.ts";
import { refundFailureReasonOf } from "./decline.ts";
import { expandable } from "./expandable.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import { amountOf, currencyOf, metadataOf, secondsOf, textOrNull, wordOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a return was asked to be shown whole. */
export interface ReturnExpansions {
  readonly balance_transaction?: LedgerTransfer | undefined;
  readonly charge?: Charge | undefined;
}

/**
 * Shows a return, as a "refund". `failure_reason` is there only when it failed and `pending_reason` only while it is
 * pending, as the SDK types them. A return does not hold its charge's customer and payment method: both are null.
 */
export function returnView(record: Return, expansions: ReturnExpansions = {}): Wire<Stripe.Refund> {
  const { amount, state } = record;
  assert(amount !== undefined, "a return has an amount");
  return {
    id: record.returnId,
    object: "refund",
    amount: amountOf(amount.amountMinor),
    balance_transaction: expandable(record.ledgerTransferId, expansions.balance_transaction, ledgerTransferView),
    charge: expandable(record.chargeId, expansions.charge, chargeView),
    created: secondsOf(record.createTime),
    currency: currencyOf(amount.currencyCode),
    customer: null,
    customer_account: null,
    destination_details: destinationView(record),
    ...(state === ReturnState.FAILED ? { failure_reason: refundFailureReasonOf(record.decline?.reason) } : {}),
    metadata: metadataOf(record.metadata),
    payment_intent: null,
    payment_method: null,
    ...(state === ReturnState.PENDING ? { pending_reason: "processing" } : {}),
    reason: textOrNull(record.reason),
    receipt_number: null,
    source_transfer_reversal: null,
    status: wordOf(statuses, state),
    transfer_reversal: null,
  };
}

const statuses = {
  [ReturnState.PENDING]: "pending",
  [ReturnState.SUCCEEDED]: "succeeded",
  [ReturnState.FAILED]: "failed",
  [ReturnState.CANCELED]: "canceled",
} as const;

// The bank's reference (ISO 8583 field 37) is a retrieval reference number, which Stripe has a type of reference for: the
// cardholder can name it to their own bank.
function destinationView({ networkReference, state }: Return): Wire<Stripe.Refund.DestinationDetails> {
  const card =
    networkReference === ""
      ? { reference_status: state === ReturnState.PENDING ? "pending" : "unavailable" }
      : { reference: networkReference, reference_status: "available" };
  return { card: { ...card, reference_type: "retrieval_reference_number", type: "refund" }, type: "card" };
}
