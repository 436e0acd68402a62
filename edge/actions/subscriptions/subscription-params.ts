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
  metadata,
  optional,
  text,
} from "../../decode/fields.ts";
import { items } from "./subscription-items.ts";

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
    payment_behavior: optional(choice(["allow_incomplete", "default_incomplete", "error_if_incomplete"])),
    trial_end: optional(formed(12, "^(now|\\d+)$", "a unix timestamp or 'now'")),
    trial_from_plan: optional(Type.Boolean()),
    trial_period_days: optional(integer({ minimum: 1, maximum: 730 })),
    // The only ways there are.
    automatic_tax: optional(group({ enabled: Type.Literal(false) })),
    billing_mode: optional(group({ type: choice(["flexible"]) })),
    expand,
  },
  // Nobody is asked to confirm a payment, the first period is never prorated, and cards are the only way to pay.
  { "x-harmless": ["off_session", "payment_settings", "proration_behavior"] },
);

/** What a new subscription is to be, as decoded. */
export type SubscriptionParams = Static<typeof subscriptionParams>;
