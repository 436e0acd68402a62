import type Stripe from "stripe";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import { CollectionMethod, type Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { PaymentMethod } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { Product } from "../../gen/tripe/billing/v1/product_pb.ts";
import { type Subscription, SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { collectionMethodOf } from "./collection-method.ts";
import { customerOrDeletedView } from "./customer.ts";
import { expandable, expandableOf } from "./expandable.ts";
import { type InvoiceExpansions, invoiceView } from "./invoice.ts";
import { listView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { currencyOf, metadataOf, secondsOf, secondsOrNull, textOrNull, wordOf } from "./scalars.ts";
import { subscriptionItemView } from "./subscription-item.ts";
import type { Wire } from "./wire.ts";

/**
 * What of a subscription was asked to be shown whole. Products are given by their ids; an item whose product is not
 * among them shows the id. `latestInvoiceExpansions` says how an expanded invoice is shown in turn.
 */
export interface SubscriptionExpansions {
  readonly customer?: Customer | undefined;
  readonly default_payment_method?: PaymentMethod | undefined;
  readonly "items.data.price.product"?: ReadonlyMap<string, Product> | undefined;
  readonly latest_invoice?: Invoice | undefined;
  readonly latestInvoiceExpansions?: InvoiceExpansions | undefined;
}

/** Fields that newer versions dropped and programs for older ones still read; plan and quantity of a single item only. */
export interface OlderSubscriptionFields {
  current_period_end: number;
  current_period_start: number;
  discount: null;
  plan: Wire<Stripe.Plan> | null;
  quantity: number | null;
}

/** A subscription as the public API shows it. */
export type SubscriptionView = Wire<Stripe.Subscription> & OlderSubscriptionFields;

/** Shows a subscription with all its items: there are never more than a page of them. */
export function subscriptionView(
  subscription: Subscription,
  expansions: SubscriptionExpansions = {},
): SubscriptionView {
  const items = itemsOf(subscription, expansions["items.data.price.product"]);
  const [single] = items.length === 1 ? items : [];
  return {
    id: subscription.subscriptionId,
    object: "subscription",
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: secondsOf(subscription.anchorTime),
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: {}, type: "flexible" },
    billing_schedules: [],
    billing_thresholds: null,
    ...endingView(subscription),
    collection_method: collectionMethodOf(subscription.collectionMethod),
    created: secondsOf(subscription.createTime),
    currency: currencyOf(subscription.currencyCode),
    current_period_end: secondsOf(subscription.periodEndTime),
    current_period_start: secondsOf(subscription.periodStartTime),
    customer: expandableOf(subscription.customerId, expansions.customer, customerOrDeletedView),
    customer_account: null,
    days_until_due: subscription.collectionMethod === CollectionMethod.SEND_INVOICE ? subscription.daysUntilDue : null,
    default_payment_method: expandable(
      subscription.defaultPaymentMethodId,
      expansions.default_payment_method,
      paymentMethodView,
    ),
    default_source: null,
    default_tax_rates: [],
    description: textOrNull(subscription.description),
    discount: null,
    discounts: [],
    ended_at: secondsOrNull(subscription.endTime),
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: "self" },
    },
    items: listView({
      url: `/v1/subscription_items?subscription=${subscription.subscriptionId}`,
      data: items,
      hasMore: false,
    }),
    latest_invoice: expandable(subscription.latestInvoiceId, expansions.latest_invoice, (invoice) =>
      invoiceView(invoice, expansions.latestInvoiceExpansions),
    ),
    livemode: subscription.isLive,
    managed_payments: null,
    metadata: metadataOf(subscription.metadata),
    ...unoffered,
    plan: single?.plan ?? null,
    quantity: single?.quantity ?? null,
    schedule: null,
    start_date: secondsOf(subscription.createTime),
    status: wordOf(statuses, subscription.state),
    // A subscription does not hold its customer's test clock.
    test_clock: null,
    transfer_data: null,
    trial_end: secondsOrNull(subscription.trialEndTime),
    trial_settings: null,
    trial_start: secondsOrNull(subscription.trialStartTime),
  };
}

function itemsOf(
  subscription: Subscription,
  products: ReadonlyMap<string, Product> = new Map(),
): Wire<Stripe.SubscriptionItem>[] {
  return subscription.items.map((item) =>
    subscriptionItemView(item, subscription, { "price.product": products.get(item.price?.productId ?? "") }),
  );
}

type Ending = Pick<
  Wire<Stripe.Subscription>,
  "cancel_at" | "cancel_at_period_end" | "canceled_at" | "cancellation_details"
>;

/** Shows when and why it ended, or will: because somebody asked, or because its invoices stayed unpaid. */
function endingView({ cancelTime, endTime, isEndingWithPeriod, periodEndTime, state }: Subscription): Ending {
  const reasonUnasked = state === SubscriptionState.CANCELED ? "payment_failed" : null;
  const reason = cancelTime === undefined ? reasonUnasked : "cancellation_requested";
  return {
    cancel_at: isEndingWithPeriod ? secondsOf(periodEndTime) : null,
    cancel_at_period_end: isEndingWithPeriod,
    canceled_at: secondsOrNull(cancelTime ?? endTime),
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason },
  };
}

// What a subscription does not hold: how its payments are set up, and what is yet to happen to it.
const unoffered = {
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  pause_collection: null,
  payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: null },
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  pending_update: null,
} as const;

const statuses = {
  [SubscriptionState.INCOMPLETE]: "incomplete",
  [SubscriptionState.INCOMPLETE_EXPIRED]: "incomplete_expired",
  [SubscriptionState.TRIALING]: "trialing",
  [SubscriptionState.ACTIVE]: "active",
  [SubscriptionState.PAST_DUE]: "past_due",
  [SubscriptionState.UNPAID]: "unpaid",
  [SubscriptionState.CANCELED]: "canceled",
  [SubscriptionState.PAUSED]: "paused",
} as const;
