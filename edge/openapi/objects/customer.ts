import type { customerView } from "../../../services/_views/customer.ts";
import {
  currency,
  expandable,
  kind,
  many,
  metadata,
  moment,
  nothing,
  nullable,
  ref,
  shape,
  sometimes,
  text,
  whole,
  word,
  yesNo,
} from "../shapes.ts";

type View = ReturnType<typeof customerView>;

/** A customer. */
export const customer = shape<View>(
  {
    id: text(),
    object: kind("customer"),
    address: nullable(ref("Address")),
    balance: whole("Always 0: Tripe keeps no balances of customers."),
    created: moment(),
    currency: nullable(currency),
    customer_account: nothing,
    default_source: nullable(expandable("Card")),
    delinquent: yesNo(),
    description: nullable(text()),
    discount: nothing,
    email: nullable(text()),
    invoice_prefix: nullable(text("What the numbers of the customer's invoices begin with.")),
    invoice_settings: shape<View["invoice_settings"]>({
      custom_fields: nothing,
      default_payment_method: nullable(expandable("PaymentMethod")),
      footer: nothing,
      rendering_options: nothing,
    }),
    livemode: yesNo("Whether the object is of a live account."),
    metadata,
    name: nullable(text()),
    phone: nullable(text()),
    preferred_locales: many(text()),
    shipping: nullable(ref("Shipping")),
    sources: sometimes(ref("CardList")),
    tax_exempt: word(["none"]),
    test_clock: nullable(text()),
  },
  "Who is charged. An answer has `sources` only when the request expands it.",
);
