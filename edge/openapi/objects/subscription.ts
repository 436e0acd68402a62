import type { SubscriptionView, subscriptionView } from "../../../services/_views/subscription.ts";
import type { subscriptionItemView } from "../../../services/_views/subscription-item.ts";
import {
  currency,
  empty,
  expandable,
  kind,
  metadata,
  moment,
  nothing,
  nullable,
  ref,
  shape,
  text,
  whole,
  word,
  yesNo,
} from "../shapes.ts";

/** How invoices are paid. */
export const collectionMethod = word(["charge_automatically", "send_invoice"]);

/** Who sends an invoice: always the account itself. */
export const issuer = shape<{ type: string }>({ type: word(["self"]) });

type ItemView = ReturnType<typeof subscriptionItemView>;

/** An item of a subscription. */
export const subscriptionItem = shape<ItemView>(
  {
    id: text(),
    object: kind("subscription_item"),
    billing_thresholds: nothing,
    created: moment(),
    current_period_end: moment(),
    current_period_start: moment(),
    current_trial: nothing,
    discounts: empty,
    metadata,
    plan: ref("Plan"),
    price: ref("Price"),
    quantity: whole(),
    subscription: text("The subscription's id."),
    tax_rates: empty,
  },
  "A price that a subscription bills, and how many units of it.",
);

/** A subscription. */
export const subscription = shape<ReturnType<typeof subscriptionView>>(
  {
    id: text(),
    object: kind("subscription"),
    application: nothing,
    application_fee_percent: nothing,
    automatic_tax: shape<SubscriptionView["automatic_tax"]>({
      disabled_reason: nothing,
      enabled: yesNo(),
      liability: nothing,
    }),
    billing_cycle_anchor: moment("From when all periods are counted, in unix seconds."),
    billing_cycle_anchor_config: nothing,
    billing_mode: shape<SubscriptionView["billing_mode"]>({ flexible: shape<object>({}), type: word(["flexible"]) }),
    billing_schedules: empty,
    billing_thresholds: nothing,
    cancel_at: nullable(moment()),
    cancel_at_period_end: yesNo(),
    canceled_at: nullable(moment()),
    cancellation_details: shape<NonNullable<SubscriptionView["cancellation_details"]>>({
      comment: nothing,
      feedback: nothing,
      feedback_option: nothing,
      reason: nullable(word(["cancellation_requested", "payment_failed"])),
    }),
    collection_method: collectionMethod,
    created: moment(),
    currency,
    current_period_end: moment(),
    current_period_start: moment(),
    customer: expandable("Customer", "DeletedCustomer"),
    customer_account: nothing,
    days_until_due: nullable(whole()),
    default_payment_method: nullable(expandable("PaymentMethod")),
    default_source: nothing,
    default_tax_rates: empty,
    description: nullable(text()),
    discount: nothing,
    discounts: empty,
    ended_at: nullable(moment()),
    invoice_settings: shape<SubscriptionView["invoice_settings"]>({
      account_tax_ids: nothing,
      custom_fields: nothing,
      description: nothing,
      footer: nothing,
      issuer,
    }),
    items: ref("SubscriptionItemList"),
    latest_invoice: nullable(expandable("Invoice")),
    livemode: yesNo(),
    managed_payments: nothing,
    metadata,
    next_pending_invoice_item_invoice: nothing,
    on_behalf_of: nothing,
    pause_collection: nothing,
    payment_settings: shape<NonNullable<SubscriptionView["payment_settings"]>>({
      payment_method_options: nothing,
      payment_method_types: nothing,
      save_default_payment_method: nothing,
    }),
    pending_invoice_item_interval: nothing,
    pending_setup_intent: nothing,
    pending_update: nothing,
    plan: nullable(ref("Plan")),
    quantity: nullable(whole()),
    schedule: nothing,
    start_date: moment(),
    status: word([
      "active",
      "canceled",
      "incomplete",
      "incomplete_expired",
      "past_due",
      "paused",
      "trialing",
      "unpaid",
    ]),
    test_clock: nothing,
    transfer_data: nothing,
    trial_end: nullable(moment()),
    trial_settings: nothing,
    trial_start: nullable(moment()),
  },
  "Bills its items every period. `plan` and `quantity` are those of a single item, as older versions have them.",
);
