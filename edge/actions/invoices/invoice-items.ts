import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Static } from "typebox";
import Type from "typebox";
import type { InvoiceItem } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { deletedView } from "../../../services/_views/deleted.ts";
import { invoiceItemView } from "../../../services/_views/invoice-item.ts";
import { listView } from "../../../services/_views/list.ts";
import {
  clearable,
  created,
  expand,
  group,
  id,
  integer,
  metadata,
  optional,
  paging,
  text,
} from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataOf, metadataPatchOf, textOf } from "../../messages.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { invalidForm, parameterMissing } from "../../parameter-problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { currencyCodeOf, priceIdOf, readItemAmount, readItemChange } from "./item-amount.ts";

const expandable = ["customer", "invoice"];

/** The last second of the year 9999: beyond it protobuf's Timestamp ends. */
const SECOND_MAX = 253_402_300_799;

const second = integer({ minimum: 0, maximum: SECOND_MAX });

const itemWords = {
  amount: optional(integer()),
  description: clearable(text(5_000)),
  metadata,
  quantity: optional(integer({ minimum: 0, maximum: 999_999_999 })),
  unit_amount_decimal: optional(text(40)),
  expand,
};

const createParams = group({
  ...itemWords,
  currency: optional(text(20)),
  customer: optional(id),
  invoice: optional(id),
  period: optional(group({ start: second, end: second })),
  price: optional(id),
  pricing: optional(group({ price: optional(id) })),
});

const createItemRoute = defineRoute({
  method: "POST",
  path: "/v1/invoiceitems",
  operationId: "createInvoiceItem",
  answers: "InvoiceItem",
  summary: "Note what a customer owes: reader.GetPrice ‖ reader.GetInvoice → writer.CreateInvoiceItem.",
  params: createParams,
  expandable,
  mentions: (_, given) =>
    mentions({
      customer: mention(given.customer, "customer"),
      invoice: mention(given.invoice, "invoice"),
      price: mention(given.pricing?.price, "pricing[price]") ?? mention(given.price, "price"),
    }),
  async run(request, given) {
    const { accountId, clients, createId, identity } = request;
    const item = await readItem(request, given);
    const { invoiceItem, isReplayed } = await clients.writer.createInvoiceItem({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      invoiceItem: { invoiceItemId: createId("ii_"), ...item },
    });
    return { body: await showItem(request, found(invoiceItem)), isReplayed };
  },
  replay: replayOf("invoiceItem", showItem),
});

async function readItem({ account, reads }: PublicRequest, given: Static<typeof createParams>) {
  const priceId = priceIdOf(given);
  const { period } = given;
  if (period !== undefined && period.end < period.start) {
    throw invalidForm("period[end]", "at or after period[start]");
  }
  if (given.customer === undefined && given.invoice === undefined) throw parameterMissing("customer");
  const isInvoiceAsked = given.customer === undefined || (priceId === "" && given.currency === undefined);
  const [price, invoice] = await Promise.all([
    reads.price(priceId),
    isInvoiceAsked ? reads.invoice(given.invoice ?? "") : undefined,
  ]);
  const currencyCode = currencyCodeOf(given, { price, invoice, fallback: account.defaultCurrencyCode });
  return {
    ...readItemAmount(given, price, currencyCode),
    currencyCode,
    customerId: given.customer ?? invoice?.customerId ?? "",
    description: given.description ?? price?.productName ?? "",
    invoiceId: given.invoice ?? "",
    metadata: metadataOf(given.metadata),
    priceId,
    ...(period === undefined
      ? {}
      : {
          periodStartTime: timestampFromMs(period.start * 1_000),
          periodEndTime: timestampFromMs(period.end * 1_000),
        }),
  };
}

const retrieveItemRoute = defineRoute({
  method: "GET",
  path: "/v1/invoiceitems/:id",
  operationId: "retrieveInvoiceItem",
  answers: "InvoiceItem",
  summary: "Retrieve an invoice item.",
  params: group({ expand }),
  expandable,
  mentions: (given) => ({ invoiceItem: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: invoiceItemId } = request;
    const { invoiceItem } = await clients.reader.getInvoiceItem({ accountId, invoiceItemId });
    return { body: await showItem(request, found(invoiceItem)) };
  },
});

const updateItemRoute = defineRoute({
  method: "POST",
  path: "/v1/invoiceitems/:id",
  operationId: "updateInvoiceItem",
  answers: "InvoiceItem",
  summary: "Change an invoice item that no finalized invoice holds: reader.GetInvoiceItem → writer.UpdateInvoiceItem.",
  params: group(itemWords),
  expandable,
  mentions: (given) => ({ invoiceItem: { id: given, param: "id" } }),
  async run(request, given) {
    const { accountId, clients, identity, id: invoiceItemId } = request;
    const { invoiceItem: current } = await clients.reader.getInvoiceItem({ accountId, invoiceItemId });
    const amount = readItemChange(given, found(current));
    const metadataPatch = metadataPatchOf(given.metadata);
    const { invoiceItem, isReplayed } = await clients.writer.updateInvoiceItem({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      invoiceItem: { invoiceItemId, description: textOf(given.description), ...amount },
      updateMask: {
        paths: [
          ...(given.description === undefined ? [] : ["description"]),
          ...(amount === undefined ? [] : ["amount_minor", "quantity", "unit_amount_minor"]),
        ],
      },
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
    });
    return { body: await showItem(request, found(invoiceItem)), isReplayed };
  },
  replay: replayOf("invoiceItem", showItem),
});

const deleteItemRoute = defineRoute({
  method: "DELETE",
  path: "/v1/invoiceitems/:id",
  operationId: "deleteInvoiceItem",
  answers: "DeletedInvoiceItem",
  summary: "Delete an invoice item that no finalized invoice holds.",
  params: group({}),
  expandable: [],
  mentions: (given) => ({ invoiceItem: { id: given, param: "id" } }),
  async run({ accountId, clients, id: invoiceItemId, identity }) {
    const { isReplayed } = await clients.writer.deleteInvoiceItem({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      invoiceItemId,
    });
    return { body: deletedView(invoiceItemId, "invoiceitem"), isReplayed };
  },
});

const listItemsRoute = defineRoute({
  method: "GET",
  path: "/v1/invoiceitems",
  operationId: "listInvoiceItems",
  answers: "InvoiceItem",
  summary: "List invoice items, newest first.",
  params: group({
    customer: optional(id),
    invoice: optional(id),
    // Only those on an invoice already, without naming one, is not carried out.
    pending: optional(Type.Literal(true)),
    created,
    ...paging,
  }),
  expandable,
  isList: true,
  mentions: (_, given) =>
    mentions({
      customer: mention(given.customer, "customer"),
      invoice: mention(given.invoice, "invoice"),
      invoiceItem: cursorMention(given),
    }),
  async run(request, given) {
    const { accountId, clients, reads } = request;
    const { customer: customerId = "", invoice: invoiceId = "", pending: isPending = false } = given;
    const [page] = await Promise.all([
      clients.reader.listInvoiceItems({ accountId, customerId, invoiceId, isPending, ...pageRequestOf(given) }),
      reads.customer(customerId),
      reads.invoice(invoiceId),
    ]);
    const data = await Promise.all(page.invoiceItems.map((item) => showItem(request, item)));
    return { body: listView({ url: "/v1/invoiceitems", data, hasMore: page.nextPageToken !== "" }) };
  },
});

async function showItem({ expand: wanted, reads }: PublicRequest, item: InvoiceItem) {
  const [customer, invoice] = await Promise.all([
    wanted.has("customer") ? reads.customer(item.customerId) : undefined,
    wanted.has("invoice") ? reads.invoice(item.invoiceId) : undefined,
  ]);
  return invoiceItemView(item, { customer, invoice });
}

/** The routes of invoice items. */
export const invoiceItemRoutes = [createItemRoute, retrieveItemRoute, updateItemRoute, deleteItemRoute, listItemsRoute];
