import { Code } from "@connectrpc/connect";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type {
  CreateInvoiceRequest,
  DeleteInvoiceRequest,
  UpdateInvoiceRequest,
} from "../../gen/tripe/writer/v1/invoices_pb.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { collectionMethods } from "../_database/rows/words.ts";
import { refuse } from "../_runtime/errors.ts";
import type { EventType } from "../_runtime/event-types.ts";
import type { WriterDependencies } from "./answers.ts";
import { giveCurrency } from "./customer-currency.ts";
import { lockCustomer, refuseDeleted } from "./customer-lock.ts";
import { requireAttached } from "./default-payment-method.ts";
import { changed, type EventDraft, isSame, told } from "./event-drafts.ts";
import { insertInvoice, lockInvoice, requiredInvoice } from "./invoice-rows.ts";
import { refuseLongLines } from "./invoice-size.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, once } from "./once.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";

/** Stripe's: a draft that advances by itself can be changed for an hour. */
const HOLD_MS = 3_600_000;

const UPDATE = {
  name: "update_invoice",
  text: `update invoice set revision = revision + 1, description = $3, footer = $4, metadata = $5,
      collection_method = $6, days_until_due = $7, is_auto_advancing = $8, default_payment_method_id = $9,
      next_attempt_time = case
        when not $8 or state not in ('draft', 'open') or (state = 'open' and $6 = 'send_invoice') then null
        else coalesce(next_attempt_time,
          business_now($1, customer_id) + case state when 'draft' then ${HOLD_MS} else 0 end * interval '1 ms') end
    where account_id = $1 and invoice_id = $2`,
};

const DELETE = {
  name: "delete_invoice",
  text: `with freed as (
      update invoice_item set invoice_id = null where account_id = $1 and invoice_id = $2
    ), unlined as (
      delete from invoice_line where account_id = $1 and invoice_id = $2
    )
    delete from invoice where account_id = $1 and invoice_id = $2`,
};

const UPDATABLE = [
  "description",
  "footer",
  "collection_method",
  "days_until_due",
  "is_auto_advancing",
  "default_payment_method_id",
];

/** What may still be changed once the money is frozen: nothing that is printed. */
const UPDATABLE_WHEN_FINAL = ["is_auto_advancing", "default_payment_method_id"];

/** Makes a draft. Refuses a customer that is not there or deleted, another's payment method, and items as `addLines` does. */
export async function createInvoice(dependencies: WriterDependencies, request: CreateInvoiceRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId } = request;
    const invoice = requiredInvoice(request.invoice);
    const { currencyCode, customerId, defaultPaymentMethodId } = invoice;
    const customer = await lockCustomer(query, { accountId, customerId });
    refuseDeleted(customer);
    const priced = await giveCurrency(query, { accountId, customer, currencyCode });
    await requireAttached(query, { accountId, customerId, paymentMethodId: defaultPaymentMethodId });
    await insertInvoice(query, { accountId, invoice, holdMs: HOLD_MS });
    await refuseLongLines(query, { accountId, invoiceId: invoice.invoiceId });
    const made = await lockInvoice(query, { accountId, invoiceId: invoice.invoiceId });
    const effect = invoiceEffect(made, ["invoice.created"]);
    return { ...effect, events: [...priced, ...effect.events] };
  });
  return { invoice: nounOf(answer, "invoice"), isReplayed };
}

/** Changes a draft, or what may be changed of a finalized one. Refuses the rest with INVOICE_NOT_EDITABLE. */
export async function updateInvoice(dependencies: WriterDependencies, request: UpdateInvoiceRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId } = request;
    const change = requiredInvoice(request.invoice);
    const key = { accountId, invoiceId: change.invoiceId };
    const current = await lockInvoice(query, key);
    const paths = request.updateMask?.paths ?? [];
    const isDraft = current.state === InvoiceState.DRAFT;
    if (!isDraft && paths.some((path) => UPDATABLE.includes(path) && !UPDATABLE_WHEN_FINAL.includes(path))) {
      refuseNotEditable(current);
    }
    const next = applyMask(current, change, paths, UPDATABLE);
    next.metadata = patchMetadata(current.metadata, request.metadataPatch);
    if (paths.includes("default_payment_method_id")) {
      const { customerId, defaultPaymentMethodId: paymentMethodId } = next;
      await requireAttached(query, { accountId, customerId, paymentMethodId });
    }
    if (isSame("invoice", current, next)) return invoiceEffect(current);
    await query(UPDATE, [
      accountId,
      change.invoiceId,
      next.description,
      next.footer,
      JSON.stringify(next.metadata),
      collectionMethods.word(next.collectionMethod),
      next.daysUntilDue,
      next.isAutoAdvancing,
      nullIfEmpty(next.defaultPaymentMethodId),
    ]);
    return invoiceEffect(await lockInvoice(query, key), [], current);
  });
  return { invoice: nounOf(answer, "invoice"), isReplayed };
}

/** Deletes a draft that no subscription made; its items are pending again. Refuses others with INVOICE_NOT_EDITABLE. */
export async function deleteInvoice(dependencies: WriterDependencies, request: DeleteInvoiceRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, invoiceId } = request;
    const current = await lockInvoice(query, { accountId, invoiceId });
    if (current.state !== InvoiceState.DRAFT || current.subscriptionId !== "") refuseNotEditable(current);
    await query(DELETE, [accountId, invoiceId]);
    return invoiceEffect(current, ["invoice.deleted"]);
  });
  return { invoice: nounOf(answer, "invoice"), isReplayed };
}

/** Refuses with FAILED_PRECONDITION, reason INVOICE_NOT_EDITABLE, a change of what is finalized. */
export function refuseNotEditable({ invoiceId }: Invoice): never {
  const message = `the invoice ${invoiceId} can no longer be edited`;
  return refuse(Code.FailedPrecondition, "INVOICE_NOT_EDITABLE", message, "invoice_id");
}

/** An invoice as the answer of its change, with what is to be told of it (`invoiceEvents`). */
export function invoiceEffect(invoice: Invoice, types: readonly InvoiceEventType[] = [], before?: Invoice): Effect {
  const { invoiceId } = invoice;
  return { answer: snapshotOf("invoice", invoice), nounId: invoiceId, events: invoiceEvents(invoice, types, before) };
}

/** What can be told of an invoice. */
export type InvoiceEventType = EventType & `invoice.${string}`;

/**
 * What is to be told of an invoice: these types in this order, and, for one that was there before, that it was updated.
 * Stripe sends both: "invoice.updated" whenever an invoice changes (docs.stripe.com/api/events/types), and what the change is.
 */
export function invoiceEvents(invoice: Invoice, types: readonly InvoiceEventType[], before?: Invoice): EventDraft[] {
  const named = types.map((type) => told(type, "invoice", invoice));
  // A revision counts what was written, not what has changed.
  if (before === undefined || isSame("invoice", { ...before, revision: invoice.revision }, invoice)) return named;
  return [...named, ...changed("invoice.updated", "invoice", { before, after: invoice })];
}
