import { create } from "@bufbuild/protobuf";
import { BillingReason } from "../../gen/tripe/billing/v1/billing_reason_pb.ts";
import {
  CollectionMethod,
  type InvoiceItem,
  type InvoiceLine,
  InvoiceLineSchema,
  InvoiceSchema,
} from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { Subscription } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import { affordable } from "../_billing/affordable.ts";
import type { Query } from "../_database/connect.ts";
import { type InvoiceItemRow, invoiceItemColumns, invoiceItemJoins, invoiceItemOf } from "../_database/rows/invoice.ts";
import { chargeBounds } from "../_runtime/charge-bounds.ts";
import { createId } from "../_runtime/ids.ts";
import { type EventDraft, told } from "./event-drafts.ts";
import { insertInvoice, lockInvoice } from "./invoice-rows.ts";

/** Stripe's: an invoice takes at most 250 pending items. */
const ITEMS_MAX = 250;

const PENDING = {
  name: "lock_pending_items",
  text: `select ${invoiceItemColumns} from invoice_item m ${invoiceItemJoins}
    where m.account_id = $1 and m.customer_id = $2 and m.currency_code = $3 and m.invoice_id is null
    order by m.invoice_item_id limit ${ITEMS_MAX} for no key update of m`,
};

/** A merchant's sandbox shows at once what a live account does after an hour, in which a draft may still be changed. */
const HOLD_LIVE_MS = 3_600_000;

/**
 * Drafts the invoice of what a customer still owes beside a subscription that ends, as far as one charge can be that: no
 * renewal will bill it (docs.stripe.com/api/subscriptions/cancel: pending items are still charged). It is collected as the
 * subscription was, or, where that was given up because nothing could be collected, left to its merchant as a draft. It is
 * no period's, so it does not name the subscription. Gives what is to be told of it; nothing when nothing is owed.
 */
export async function draftFinalInvoice(
  query: Query,
  { accountId, subscription, isGivenUp }: { accountId: string; subscription: Subscription; isGivenUp: boolean },
): Promise<EventDraft[]> {
  const { customerId, currencyCode, collectionMethod, daysUntilDue, defaultPaymentMethodId, isLive } = subscription;
  const rows = await query<InvoiceItemRow>(PENDING, [accountId, customerId, currencyCode]);
  const isCharged = collectionMethod === CollectionMethod.CHARGE_AUTOMATICALLY;
  const items = affordable(rows.map(invoiceItemOf), 0n, chargeBounds({ currencyCode, isCharged }));
  if (items.length === 0) return [];
  const invoiceId = createId("in_");
  const invoice = create(InvoiceSchema, {
    invoiceId,
    customerId,
    currencyCode,
    collectionMethod,
    daysUntilDue,
    defaultPaymentMethodId,
    billingReason: BillingReason.PENDING_ITEMS,
    isAutoAdvancing: !isGivenUp,
    lines: items.map(lineOfItem),
  });
  await insertInvoice(query, { accountId, invoice, holdMs: isLive ? HOLD_LIVE_MS : 0 });
  return [told("invoice.created", "invoice", await lockInvoice(query, { accountId, invoiceId }))];
}

/** The line by which an invoice takes an item, for its own amount. */
export function lineOfItem(item: InvoiceItem): InvoiceLine {
  const { invoiceItemId, description, quantity, unitAmountMinor, amountMinor, priceId, metadata } = item;
  const { periodStartTime, periodEndTime } = item;
  return create(InvoiceLineSchema, {
    invoiceItemId,
    description,
    quantity,
    ...(unitAmountMinor !== undefined && { unitAmountMinor }),
    amountMinor,
    priceId,
    ...(periodStartTime && { periodStartTime }),
    ...(periodEndTime && { periodEndTime }),
    metadata,
  });
}
