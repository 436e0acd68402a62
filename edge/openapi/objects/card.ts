import type { sourceView } from "../../../services/_views/card.ts";
import type { checksView } from "../../../services/_views/checks.ts";
import type { paymentMethodView } from "../../../services/_views/payment-method.ts";
import type { tokenView } from "../../../services/_views/token.ts";
import {
  expandable,
  kind,
  many,
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

/** What a check of an address or of a security code came to. */
export const check = nullable(text("pass, fail, unavailable or unchecked."));

/** What a bank said of what was typed with a card. */
export const checks = shape<ReturnType<typeof checksView>>({
  address_line1_check: check,
  address_postal_code_check: check,
  cvc_check: check,
});

/** The fields that every face of a card has. */
export const cardFields = {
  country: nullable(text("The issuer's country, a two-letter code.")),
  exp_month: whole(),
  exp_year: whole(),
  fingerprint: nullable(text("The same for every payment method with the same card number.")),
  funding: text("credit, debit, prepaid or unknown."),
  last4: text(),
};

/** A card, as the older face of the API has it. */
export const card = shape<ReturnType<typeof sourceView>>(
  {
    id: text(),
    object: kind("card"),
    address_city: nullable(text()),
    address_country: nullable(text()),
    address_line1: nullable(text()),
    address_line1_check: check,
    address_line2: nullable(text()),
    address_state: nullable(text()),
    address_zip: nullable(text()),
    address_zip_check: check,
    brand: text('Such as "Visa" or "American Express".'),
    ...cardFields,
    customer: nullable(text("The customer's id.")),
    cvc_check: check,
    dynamic_last4: nothing,
    metadata,
    name: nullable(text()),
    regulated_status: nothing,
    tokenization_method: nothing,
  },
  "A card, as the older face of the API has it; its id is that of the payment method.",
);

/** A token. */
export const token = shape<ReturnType<typeof tokenView>>(
  {
    id: text(),
    object: kind("token"),
    card: ref("Card"),
    client_ip: nothing,
    created: moment(),
    livemode: yesNo(),
    type: word(["card"]),
    used: yesNo("Whether it was used: a token is used once."),
  },
  "Stands for a card until it is used, once.",
);

type PaymentMethodView = ReturnType<typeof paymentMethodView>;

/** A payment method. */
export const paymentMethod = shape<PaymentMethodView>(
  {
    id: text(),
    object: kind("payment_method"),
    allow_redisplay: word(["unspecified"]),
    billing_details: ref("BillingDetails"),
    card: shape<NonNullable<PaymentMethodView["card"]>>({
      ...cardFields,
      brand: text('Such as "visa" or "amex".'),
      checks: ref("CardChecks"),
      display_brand: text('Such as "visa" or "american_express".'),
      generated_from: nothing,
      networks: shape<{ available: string[]; preferred: null }>({ available: many(text()), preferred: nothing }),
      regulated_status: nothing,
      three_d_secure_usage: shape<{ supported: boolean }>({ supported: yesNo() }),
      wallet: nothing,
    }),
    created: moment(),
    customer: nullable(expandable("Customer")),
    customer_account: nothing,
    livemode: yesNo(),
    metadata,
    type: word(["card"]),
  },
  "A card that can be charged, of a customer or of nobody yet.",
);
