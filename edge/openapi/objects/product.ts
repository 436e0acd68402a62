import type { planView, priceView } from "../../../services/_views/price.ts";
import type { OlderPlanView, OlderPriceView, pricingView } from "../../../services/_views/pricing.ts";
import type { productView } from "../../../services/_views/product.ts";
import {
  amount,
  currency,
  decimal,
  empty,
  expandable,
  kind,
  metadata,
  moment,
  nothing,
  nullable,
  shape,
  sometimes,
  text,
  whole,
  word,
  yesNo,
} from "../shapes.ts";

/** A product. */
export const product = shape<ReturnType<typeof productView>>(
  {
    id: text(),
    object: kind("product"),
    active: yesNo(),
    created: moment(),
    default_price: nullable(expandable("Price")),
    description: nullable(text()),
    images: empty,
    livemode: yesNo(),
    marketing_features: empty,
    metadata,
    name: text(),
    package_dimensions: nothing,
    shippable: nothing,
    statement_descriptor: nothing,
    tax_code: nothing,
    tax_details: nothing,
    type: word(["service"]),
    unit_label: nothing,
    updated: moment(),
    url: nothing,
  },
  "What is sold.",
);

const interval = word(["day", "week", "month", "year"]);
const trialDays = nullable(whole("How many days a subscription is tried; null for none."));

type PriceView = ReturnType<typeof priceView>;

/** A price. */
export const price = shape<PriceView>(
  {
    id: text(),
    object: kind("price"),
    active: yesNo("Whether it can be sold anew."),
    billing_scheme: word(["per_unit"]),
    created: moment(),
    currency,
    custom_unit_amount: nothing,
    livemode: yesNo(),
    lookup_key: nullable(text()),
    metadata,
    nickname: nullable(text()),
    product: expandable("Product"),
    recurring: nullable(
      shape<NonNullable<PriceView["recurring"]>>({
        interval,
        interval_count: whole(),
        meter: nothing,
        trial_period_days: trialDays,
        usage_type: word(["licensed"]),
      }),
    ),
    tax_behavior: word(["unspecified"]),
    tiers_mode: nothing,
    transform_quantity: nothing,
    type: word(["one_time", "recurring"]),
    unit_amount: amount(),
    unit_amount_decimal: decimal(),
  },
  "What a unit of a product costs, once or every interval.",
);

/** A price that repeats, as older versions called it. */
export const plan = shape<ReturnType<typeof planView>>(
  {
    id: text(),
    object: kind("plan"),
    active: yesNo(),
    amount: amount(),
    amount_decimal: decimal(),
    billing_scheme: word(["per_unit"]),
    created: moment(),
    currency,
    interval,
    interval_count: whole(),
    livemode: yesNo(),
    metadata,
    meter: nothing,
    nickname: nullable(text()),
    product: nullable(text("The product's id.")),
    tiers_mode: nothing,
    transform_usage: nothing,
    trial_period_days: trialDays,
    usage_type: word(["licensed"]),
  },
  "A price that repeats, as older versions of the API show it.",
);

/** What a unit of a line costs, and by which price. */
export const pricing = shape<ReturnType<typeof pricingView>>({
  price_details: sometimes(
    shape<{ price: string; product: string }>({ price: text("The price's id."), product: text("The product's id.") }),
  ),
  type: word(["price_details"]),
  unit_amount_decimal: nullable(decimal()),
});

/** What a line knows of its price. */
export const linePrice = shape<OlderPriceView>({
  id: text(),
  object: kind("price"),
  billing_scheme: word(["per_unit"]),
  currency,
  livemode: yesNo(),
  product: text("The product's id."),
  unit_amount: nullable(amount()),
  unit_amount_decimal: nullable(decimal()),
});

/** What a line knows of its plan. */
export const linePlan = shape<OlderPlanView>({
  id: text(),
  object: kind("plan"),
  amount: nullable(amount()),
  amount_decimal: nullable(decimal()),
  billing_scheme: word(["per_unit"]),
  currency,
  livemode: yesNo(),
  product: nullable(text("The product's id.")),
  usage_type: word(["licensed"]),
});
