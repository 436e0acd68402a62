import type { InvoiceItemView } from "../../../services/_views/invoice-item.ts";
import type { InvoiceLineView } from "../../../services/_views/invoice-line.ts";
import type { invoicePaymentView } from "../../../services/_views/invoice-payment.ts";
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
import { linePlan, linePrice, pricing } from "./product.ts";

const period = shape<{ end: number; start: number }>({ end: moment(), start: moment() });

type Parent = NonNullable<InvoiceLineView["parent"]>;

const prorationDetails = shape<{ credited_items: null }>({ credited_items: nothing });

const parent = shape<Parent>({
  invoice_item_details: nullable(
    shape<NonNullable<Parent["invoice_item_details"]>>({
      invoice_item: text(),
      proration: yesNo(),
      proration_details: prorationDetails,
      subscription: nullable(text()),
    }),
  ),
  subscription_item_details: nullable(
    shape<NonNullable<Parent["subscription_item_details"]>>({
      invoice_item: nullable(text()),
      proration: yesNo(),
      proration_details: prorationDetails,
      subscription: nullable(text()),
      subscription_item: text(),
    }),
  ),
  type: word(["invoice_item_details", "subscription_item_details"]),
});

/** A line of an invoice. */
export const invoiceLineItem = shape<InvoiceLineView>(
  {
    id: text(),
    object: kind("line_item"),
    amount: amount(),
    currency,
    description: nullable(text()),
    discount_amounts: empty,
    discountable: yesNo(),
    discounts: empty,
    invoice: nullable(text("The invoice's id.")),
    invoice_item: nullable(text("The invoice item's id.")),
    livemode: yesNo(),
    metadata,
    parent: nullable(parent),
    period,
    plan: nullable(linePlan),
    pretax_credit_amounts: empty,
    price: nullable(linePrice),
    pricing: nullable(pricing),
    proration: yesNo(),
    quantity: nullable(whole()),
    quantity_decimal: nullable(decimal()),
    subscription: nullable(text("The subscription's id.")),
    subscription_item: nullable(text("The subscription item's id.")),
    subtotal: amount(),
    taxes: empty,
    type: word(["invoiceitem", "subscription"]),
  },
  "A line of an invoice.",
);

/** An invoice item. */
export const invoiceItem = shape<InvoiceItemView>(
  {
    id: text(),
    object: kind("invoiceitem"),
    amount: amount(),
    currency,
    customer: expandable("Customer", "DeletedCustomer"),
    customer_account: nothing,
    date: moment(),
    description: nullable(text()),
    discountable: yesNo(),
    discounts: empty,
    invoice: nullable(expandable("Invoice")),
    livemode: yesNo(),
    metadata,
    parent: nothing,
    period,
    plan: nothing,
    price: nullable(linePrice),
    pricing: nullable(pricing),
    proration: yesNo(),
    quantity: whole(),
    quantity_decimal: decimal(),
    subscription: nothing,
    tax_rates: empty,
    test_clock: nothing,
    unit_amount: nullable(amount()),
    unit_amount_decimal: nullable(decimal()),
  },
  "What a customer owes, pending until an invoice takes it.",
);

type PaymentView = ReturnType<typeof invoicePaymentView>;

/** A payment of an invoice. */
export const invoicePayment = shape<PaymentView>(
  {
    id: text(),
    object: kind("invoice_payment"),
    amount_paid: nullable(amount()),
    amount_requested: amount(),
    created: moment(),
    currency,
    invoice: expandable("Invoice"),
    is_default: yesNo(),
    livemode: yesNo(),
    payment: shape<PaymentView["payment"]>({
      charge: sometimes(expandable("Charge")),
      type: word(["charge", "payment_record"]),
    }),
    status: word(["canceled", "open", "paid"]),
    status_transitions: shape<PaymentView["status_transitions"]>({
      canceled_at: nothing,
      paid_at: nullable(moment()),
    }),
  },
  "A payment of an invoice: by a charge, or noted as made elsewhere.",
);
