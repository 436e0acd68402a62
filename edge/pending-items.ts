import type { InvoiceItem } from "../gen/tripe/billing/v1/invoice_pb.ts";
import type { PublicRequest } from "./route.ts";

// Stripe's: an invoice takes at most 250 pending items, the others wait for the next one. A page of the reader has 100.
const ITEMS_MAX = 250;
const PAGE_MAX = 100;

/** The customer's pending items, oldest first, in every currency; as many as an invoice takes. */
export async function listPendingItems(
  { accountId, clients }: Pick<PublicRequest, "accountId" | "clients">,
  customerId: string,
): Promise<InvoiceItem[]> {
  const items: InvoiceItem[] = [];
  let pageToken = "";
  do {
    const pageSize = Math.min(PAGE_MAX, ITEMS_MAX - items.length);
    const page = await clients.reader.listInvoiceItems({ accountId, customerId, isPending: true, pageSize, pageToken });
    items.push(...page.invoiceItems);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && items.length < ITEMS_MAX);
  return items.reverse();
}

/** The line by which an invoice takes an item, for its own amount. */
export function lineOfItem(item: InvoiceItem) {
  const { amountMinor, description, invoiceItemId, metadata: words, priceId, productId, quantity } = item;
  const { periodEndTime, periodStartTime, unitAmountMinor } = item;
  return {
    amountMinor,
    description,
    invoiceItemId,
    metadata: words,
    priceId,
    productId,
    quantity,
    ...(periodStartTime === undefined ? {} : { periodStartTime }),
    ...(periodEndTime === undefined ? {} : { periodEndTime }),
    ...(unitAmountMinor === undefined ? {} : { unitAmountMinor }),
  };
}
