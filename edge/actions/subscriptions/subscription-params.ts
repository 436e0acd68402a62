import type { Static } from "typebox";
import Type from "typebox";
import {
  choice,
  clearable,
  expand,
  formed,
  group,
  id,
  integer,
  list,
  metadata,
  optional,
  text,
} from "../../decode/fields.ts";
import { items } from "./subscription-items.ts";

/** How a subscription's invoices are paid. Cards are the only way there is; any other is refused by name. */
export const paymentSettings = group(
  { payment_method_types: optional(list(choice(["card"]), 1)) },
  {
    "x-ignored": {
      save_default_payment_method:
        "An invoice is paid by the card that is named for it. Later ones are charged to the subscription's " +
        "default_payment_method, else to the customer's: set it with POST /v1/subscriptions/:id.",
    },
  },
);

/** What a new subscription can be told; anything else is refused by name. */
export const subscriptionParams = group(
  {
    customer: id,
    items,
    cancel_at_period_end: optional(Type.Boolean()),
    collection_method: optional(choice(["charge_automatically", "send_invoice"])),
    currency: optional(text(20)),
    days_until_due: optional(integer({ minimum: 0, maximum: 730 })),
    default_payment_method: optional(id),
    description: clearable(text(500)),
    metadata,
    payment_settings: optional(paymentSettings),
    payment_behavior: optional(choice(["allow_incomplete", "default_incomplete", "error_if_incomplete"])),
    trial_end: optional(formed(12, "^(now|\\d+)$", "a unix timestamp or 'now'")),
    trial_from_plan: optional(Type.Boolean()),
    trial_period_days: optional(integer({ minimum: 1, maximum: 730 })),
    // The only ways there are.
    automatic_tax: optional(group({ enabled: Type.Literal(false) })),
    billing_mode: optional(group({ type: choice(["flexible"]) })),
    expand,
  },
  {
    "x-ignored": {
      off_session: "No bank of Tripe's asks a cardholder to confirm a payment, whether the customer is there or not.",
      proration_behavior:
        "The first period begins when the subscription does and is billed whole: nothing is prorated.",
    },
  },
);

/** What a new subscription is to be, as decoded. */
export type SubscriptionParams = Static<typeof subscriptionParams>;
