import type { ledgerTransferView } from "../../../services/_views/ledger-transfer.ts";
import type { returnView } from "../../../services/_views/return.ts";
import {
  amount,
  currency,
  expandable,
  kind,
  many,
  metadata,
  moment,
  nothing,
  nullable,
  shape,
  sometimes,
  text,
  word,
} from "../shapes.ts";

type View = ReturnType<typeof returnView>;

const destinationDetails = shape<NonNullable<View["destination_details"]>>({
  card: shape<NonNullable<NonNullable<View["destination_details"]>["card"]>>({
    reference: sometimes(text("The bank's retrieval reference number, once it is known.")),
    reference_status: word(["available", "pending", "unavailable"]),
    reference_type: word(["retrieval_reference_number"]),
    type: word(["refund"]),
  }),
  type: word(["card"]),
});

/** A return, which the public API also calls a refund. */
export const refund = shape<View>(
  {
    id: text(),
    object: kind("refund"),
    amount: amount(),
    balance_transaction: nullable(expandable("BalanceTransaction")),
    charge: nullable(expandable("Charge")),
    created: moment(),
    currency,
    customer: nothing,
    customer_account: nothing,
    destination_details: destinationDetails,
    failure_reason: sometimes(text("Only of a refund that failed.")),
    metadata,
    payment_intent: nothing,
    payment_method: nothing,
    pending_reason: sometimes(word(["processing"], "Only while the refund is pending.")),
    reason: nullable(word(["duplicate", "fraudulent", "requested_by_customer"])),
    receipt_number: nothing,
    source_transfer_reversal: nothing,
    status: nullable(word(["pending", "succeeded", "failed", "canceled"])),
    transfer_reversal: nothing,
  },
  "Money of a charge that goes back to its card.",
);

type Booking = ReturnType<typeof ledgerTransferView>;

/** A booking of the ledger. */
export const balanceTransaction = shape<Booking>(
  {
    id: text(),
    object: kind("balance_transaction"),
    amount: amount(),
    available_on: moment(),
    balance_type: word(["payments"]),
    created: moment(),
    currency,
    description: nothing,
    exchange_rate: nothing,
    fee: amount(),
    fee_details: many(
      shape<Booking["fee_details"][number]>({
        amount: amount(),
        application: nothing,
        currency,
        description: nullable(text()),
        type: word(["stripe_fee"]),
      }),
    ),
    net: amount("The amount without the fee, in the currency's minor unit."),
    reporting_category: word(["adjustment", "charge", "refund"]),
    source: nullable(text("The id of the charge or refund that it books.")),
    status: word(["available"]),
    type: word(["adjustment", "charge", "refund"]),
  },
  "What a charge or a refund changed in the merchant's balance.",
);
