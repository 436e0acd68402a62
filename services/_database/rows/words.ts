import { ApiKeyKind } from "../../../gen/tripe/billing/v1/account_pb.ts";
import { AttemptKind, OutcomeKind } from "../../../gen/tripe/billing/v1/attempt_pb.ts";
import { BillingReason } from "../../../gen/tripe/billing/v1/billing_reason_pb.ts";
import { ChargeState } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { CollectionMethod, InvoicePaymentState, InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { LedgerTransferKind } from "../../../gen/tripe/billing/v1/ledger_pb.ts";
import { CheckResult } from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import { IntervalUnit } from "../../../gen/tripe/billing/v1/product_pb.ts";
import { ReturnState } from "../../../gen/tripe/billing/v1/return_pb.ts";
import { SubscriptionState } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import { DisableReason } from "../../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import { EventDeliveryState } from "../../../gen/tripe/reader/v1/deliveries_pb.ts";
import { MailKind } from "../../../gen/tripe/writer/v1/mails_pb.ts";

/** An enum's values and the words that stand for them in a column. */
export interface Words<Value extends number> {
  /** The value of a column's word. Throws for a word the enum does not have: the CHECK of the column holds it off. */
  of(word: string): Value;
  /** The word of a value. Throws for UNSPECIFIED and for values this build does not know. */
  word(value: Value): string;
}

function words<Value extends number>(table: Readonly<Record<string, Value>>): Words<Value> {
  const byWord = new Map(Object.entries(table));
  const byValue = new Map(Object.entries(table).map(([word, value]) => [value, word]));
  return {
    of(word) {
      const value = byWord.get(word);
      if (value === undefined) throw new Error(`no enum value has the word ${JSON.stringify(word)}`);
      return value;
    },
    word(value) {
      const word = byValue.get(value);
      if (word === undefined) throw new Error(`no word stands for the enum value ${value}`);
      return word;
    },
  };
}

/** `mail.kind`. */
export const mailKinds: Words<MailKind> = words<MailKind>({
  invoice: MailKind.INVOICE,
  receipt: MailKind.RECEIPT,
  return_notice: MailKind.RETURN_NOTICE,
  disabled_endpoint: MailKind.DISABLED_ENDPOINT,
});

/** `charge.state`. */
export const chargeStates: Words<ChargeState> = words<ChargeState>({
  pending: ChargeState.PENDING,
  succeeded: ChargeState.SUCCEEDED,
  failed: ChargeState.FAILED,
});

/** `charge_return.state`. */
export const returnStates: Words<ReturnState> = words<ReturnState>({
  pending: ReturnState.PENDING,
  succeeded: ReturnState.SUCCEEDED,
  failed: ReturnState.FAILED,
  canceled: ReturnState.CANCELED,
});

/** `attempt.kind`. */
export const attemptKinds: Words<AttemptKind> = words<AttemptKind>({
  purchase: AttemptKind.PURCHASE,
  authorize: AttemptKind.AUTHORIZE,
  capture: AttemptKind.CAPTURE,
  reverse: AttemptKind.REVERSE,
  refund: AttemptKind.REFUND,
});

/** `attempt.outcome`: UNKNOWN is not an outcome that is ever stored. */
export const outcomes: Words<OutcomeKind> = words<OutcomeKind>({
  accepted: OutcomeKind.ACCEPTED,
  declined: OutcomeKind.DECLINED,
  not_sent: OutcomeKind.NOT_SENT,
});

/** `payment_method.cvc_check`. */
export const checkResults: Words<CheckResult> = words<CheckResult>({
  pass: CheckResult.PASS,
  fail: CheckResult.FAIL,
  unavailable: CheckResult.UNAVAILABLE,
  unchecked: CheckResult.UNCHECKED,
});

/** `ledger_transfer.kind`. */
export const ledgerTransferKinds: Words<LedgerTransferKind> = words<LedgerTransferKind>({
  charge: LedgerTransferKind.CHARGE,
  return: LedgerTransferKind.RETURN,
  late_charge: LedgerTransferKind.LATE_CHARGE,
  late_return: LedgerTransferKind.LATE_RETURN,
});

/** `api_key.kind`. */
export const apiKeyKinds: Words<ApiKeyKind> = words<ApiKeyKind>({
  secret: ApiKeyKind.SECRET,
  publishable: ApiKeyKind.PUBLISHABLE,
  restricted: ApiKeyKind.RESTRICTED,
});

/** `price.interval_unit` and `subscription.interval_unit`. */
export const intervalUnits: Words<IntervalUnit> = words<IntervalUnit>({
  day: IntervalUnit.DAY,
  week: IntervalUnit.WEEK,
  month: IntervalUnit.MONTH,
  year: IntervalUnit.YEAR,
});

/** `invoice.state`. */
export const invoiceStates: Words<InvoiceState> = words<InvoiceState>({
  draft: InvoiceState.DRAFT,
  open: InvoiceState.OPEN,
  paid: InvoiceState.PAID,
  uncollectible: InvoiceState.UNCOLLECTIBLE,
  void: InvoiceState.VOID,
});

/** `invoice.billing_reason`. */
export const billingReasons: Words<BillingReason> = words<BillingReason>({
  manual: BillingReason.MANUAL,
  subscription_create: BillingReason.SUBSCRIPTION_CREATE,
  subscription_cycle: BillingReason.SUBSCRIPTION_CYCLE,
  automatic_pending_invoice_item_invoice: BillingReason.PENDING_ITEMS,
});

/** `invoice.collection_method` and `subscription.collection_method`. */
export const collectionMethods: Words<CollectionMethod> = words<CollectionMethod>({
  charge_automatically: CollectionMethod.CHARGE_AUTOMATICALLY,
  send_invoice: CollectionMethod.SEND_INVOICE,
});

/** `invoice_payment.state`. */
export const invoicePaymentStates: Words<InvoicePaymentState> = words<InvoicePaymentState>({
  open: InvoicePaymentState.OPEN,
  paid: InvoicePaymentState.PAID,
  canceled: InvoicePaymentState.CANCELED,
});

/** `subscription.state`. */
export const subscriptionStates: Words<SubscriptionState> = words<SubscriptionState>({
  incomplete: SubscriptionState.INCOMPLETE,
  incomplete_expired: SubscriptionState.INCOMPLETE_EXPIRED,
  trialing: SubscriptionState.TRIALING,
  active: SubscriptionState.ACTIVE,
  past_due: SubscriptionState.PAST_DUE,
  unpaid: SubscriptionState.UNPAID,
  canceled: SubscriptionState.CANCELED,
  paused: SubscriptionState.PAUSED,
});

/** `webhook_endpoint.disable_reason`. */
export const disableReasons: Words<DisableReason> = words<DisableReason>({
  merchant: DisableReason.MERCHANT,
  gone: DisableReason.GONE,
  failing: DisableReason.FAILING,
  refused: DisableReason.REFUSED,
});

/** `delivery.state`. */
export const deliveryStates: Words<EventDeliveryState> = words<EventDeliveryState>({
  due: EventDeliveryState.DUE,
  delivered: EventDeliveryState.DELIVERED,
  disabled: EventDeliveryState.DISABLED,
  dead: EventDeliveryState.DEAD,
});
