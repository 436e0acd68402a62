import type Stripe from "stripe";
import { type Charge, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { LedgerTransfer } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { billingDetailsView, shippingView } from "./address.ts";
import { sourceView } from "./card.ts";
import { chargeCardView } from "./charge-card.ts";
import { customerOrDeletedView } from "./customer.ts";
import { declineView } from "./decline.ts";
import { expandable } from "./expandable.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import type { ListView } from "./list.ts";
import { outcomeView } from "./outcome.ts";
import { amountOf, currencyOf, metadataOf, secondsOf, textOrNull, wordOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a charge was asked to be shown whole. `refunds` is in no answer that did not ask for it. */
export interface ChargeExpansions {
  readonly balance_transaction?: LedgerTransfer | undefined;
  readonly customer?: Customer | undefined;
  readonly refunds?: ListView<Wire<Stripe.Refund>> | undefined;
}

/** Fields that newer versions dropped and programs for older ones still read: always null, as for any plain charge. */
export interface OlderChargeFields {
  destination: null;
  dispute: null;
  invoice: null;
  order: null;
}

/** Shows a charge. */
export function chargeView(charge: Charge, expansions: ChargeExpansions = {}): Wire<Stripe.Charge> & OlderChargeFields {
  const { amount, decline, state } = charge;
  assert(amount !== undefined, "a charge has an amount");
  assert(charge.returnedMinor <= charge.capturedMinor, "no charge returns more than it captured");
  const failure = state === ChargeState.FAILED ? declineView(decline ?? { reason: "", responseCode: "" }) : undefined;
  const refundedMinor = refundedOf(charge, amount.amountMinor);
  const { refunds } = expansions;
  return {
    id: charge.chargeId,
    object: "charge",
    amount: amountOf(amount.amountMinor),
    amount_captured: amountOf(charge.capturedMinor),
    amount_refunded: amountOf(refundedMinor),
    application: null,
    application_fee: null,
    application_fee_amount: null,
    ...(charge.authorizationCode === "" ? {} : { authorization_code: charge.authorizationCode }),
    balance_transaction: expandable(charge.ledgerTransferId, expansions.balance_transaction, ledgerTransferView),
    billing_details: billingDetailsView(charge.billingDetails),
    // The account's own descriptor is not part of a charge, so only a descriptor given in whole is known here.
    calculated_statement_descriptor: textOrNull(charge.statementDescriptor),
    captured: charge.capturedMinor > 0n,
    created: secondsOf(charge.createTime),
    currency: currencyOf(amount.currencyCode),
    customer: expandable(charge.customerId, expansions.customer, customerOrDeletedView),
    description: textOrNull(charge.description),
    destination: null,
    dispute: null,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: failure?.code ?? null,
    failure_message: failure?.message ?? null,
    fraud_details: {},
    invoice: null,
    livemode: charge.isLive,
    metadata: metadataOf(charge.metadata),
    on_behalf_of: null,
    order: null,
    outcome: outcomeView(charge),
    paid: state === ChargeState.SUCCEEDED,
    payment_intent: null,
    payment_method: textOrNull(charge.paymentMethodId),
    payment_method_details: { card: chargeCardView(charge, amount.amountMinor), type: "card" },
    radar_options: {},
    receipt_email: textOrNull(charge.receiptEmail),
    receipt_number: null,
    receipt_url: null,
    refunded: refundedMinor === amount.amountMinor,
    ...(refunds === undefined ? {} : { refunds }),
    review: null,
    shipping: shippingView(charge.shipping),
    source: charge.isFromSource ? chargedSourceView(charge) : null,
    source_transfer: null,
    statement_descriptor: textOrNull(charge.statementDescriptor),
    statement_descriptor_suffix: textOrNull(charge.statementDescriptorSuffix),
    status: wordOf(statuses, state),
    transfer_data: null,
    transfer_group: textOrNull(charge.transferGroup),
  };
}

// A charge does not hold its card's own metadata. Its fields are named: copying a whole message takes longer than the rest.
function chargedSourceView({ paymentMethodId, customerId, card, billingDetails }: Charge): Wire<Stripe.Card> {
  return sourceView({ paymentMethodId, customerId, card, billingDetails, metadata: {} });
}

// What a hold let go counts as refunded too: the rest when a part was captured, the whole when it was voided or expired.
function refundedOf({ capturedMinor, returnedMinor, releaseTime }: Charge, amountMinor: bigint): bigint {
  if (releaseTime !== undefined) return amountMinor;
  return capturedMinor > 0n ? amountMinor - capturedMinor + returnedMinor : 0n;
}

const statuses = {
  [ChargeState.PENDING]: "pending",
  [ChargeState.SUCCEEDED]: "succeeded",
  [ChargeState.FAILED]: "failed",
} as const;
