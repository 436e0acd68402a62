import { Code } from "@connectrpc/connect";
import { CollectionMethod, type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { FinalizeInvoiceRequest } from "../../gen/tripe/writer/v1/invoices_pb.ts";
import type { Query } from "../_database/connect.ts";
import { chargeBounds } from "../_runtime/charge-bounds.ts";
import { refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import type { WriterDependencies } from "./answers.ts";
import { type InvoiceKey, lockInvoice } from "./invoice-rows.ts";
import { type InvoiceEventType, invoiceEffect } from "./invoices.ts";
import { once } from "./once.ts";
import { nounOf } from "./snapshots.ts";

/** An invoice's number: the customer's prefix and a sequence of at least four digits. From `numbered c`. */
const NUMBER = `c.invoice_prefix || '-' || case when c.sequence < 10000 then lpad(c.sequence::text, 4, '0') else c.sequence::text end`;

/**
 * The customer's row is locked while its sequence goes up, so numbers have no gaps: a transaction that rolls back gives its
 * number back. With nothing to pay the invoice is paid. A provisional one gets its number when it is confirmed.
 */
const FINALIZE = {
  name: "finalize_invoice",
  text: `with numbered as (
      update customer u set next_invoice_sequence = u.next_invoice_sequence + (not n.is_provisional)::int
      from invoice n
      where n.account_id = $1 and n.invoice_id = $2 and n.state = 'draft'
        and u.account_id = n.account_id and u.customer_id = n.customer_id
      returning u.next_invoice_sequence - 1 as sequence, u.invoice_prefix, u.address, u.email, u.name, u.phone,
        business_now(u.account_id, u.customer_id) as business_time
    )
    update invoice n set revision = n.revision + 1,
      sequence = case when not n.is_provisional then c.sequence end,
      number = case when not n.is_provisional then ${NUMBER} end,
      customer_details = jsonb_strip_nulls(jsonb_build_object('address', c.address, 'email', c.email, 'name', c.name,
        'phone', c.phone)),
      subscription_metadata = (select s.metadata from subscription s
        where s.account_id = n.account_id and s.subscription_id = n.subscription_id),
      state = case when n.amount_due_minor = 0 then 'paid' else 'open' end,
      pay_time = case when n.amount_due_minor = 0 then c.business_time end,
      finalize_time = case when not n.is_provisional then c.business_time end,
      due_time = case n.collection_method when 'send_invoice'
        then c.business_time + n.days_until_due * interval '1 day' end,
      is_auto_advancing = coalesce($3, n.is_auto_advancing),
      next_attempt_time = case when n.amount_due_minor > 0 and n.collection_method = 'charge_automatically'
        and coalesce($3, n.is_auto_advancing) then c.business_time end,
      lease_end_time = statement_timestamp() + $4 * interval '1 ms'
    from numbered c where n.account_id = $1 and n.invoice_id = $2`,
};

const CONFIRM = {
  name: "number_provisional_invoice",
  text: `with numbered as (
      update customer u set next_invoice_sequence = u.next_invoice_sequence + 1
      from invoice n
      where n.account_id = $1 and n.invoice_id = $2 and n.is_provisional
        and u.account_id = n.account_id and u.customer_id = n.customer_id
      returning u.next_invoice_sequence - 1 as sequence, u.invoice_prefix,
        business_now(u.account_id, u.customer_id) as business_time
    )
    update invoice n set revision = n.revision + 1, is_provisional = false, sequence = c.sequence, number = ${NUMBER},
      finalize_time = c.business_time
    from numbered c where n.account_id = $1 and n.invoice_id = $2`,
};

const SEND = {
  name: "send_finalized_invoice",
  text: `insert into mail (account_id, mail_id, kind, object_id, invoice_id, request_id, state, tries, due_time, create_time)
    select $1, $3, 'invoice', $2, $2, $3, 'due', 0, statement_timestamp(), business_now($1, customer_id)
    from invoice where account_id = $1 and invoice_id = $2 and collection_method = 'send_invoice' and is_auto_advancing`,
};

/**
 * How long whoever finalizes an invoice has its collection to itself: a caller that goes on to collect it does so within its
 * own deadline (10 s at most). Nobody else collects it before.
 */
const COLLECT_LEASE_MS = 12_000;

/**
 * Finalizes a draft. Refuses INVOICE_NOT_FOUND, with INVOICE_NOT_DRAFT one that is finalized, and as `refuseUnpayable` does
 * one that nobody could pay.
 */
export async function finalizeInvoice(dependencies: WriterDependencies, request: FinalizeInvoiceRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, invoiceId, isAutoAdvancing } = request;
    const { draft, invoice } = await finalize(query, { accountId, invoiceId, isAutoAdvancing });
    return invoiceEffect(invoice, finalizeEvents(invoice), draft);
  });
  return { invoice: nounOf(answer, "invoice"), isReplayed };
}

/** Finalizes a draft inside a transaction, and says what it was: its number, its customer as of now, its money for good, its mail if any. */
export async function finalize(
  query: Query,
  { accountId, invoiceId, isAutoAdvancing }: InvoiceKey & { isAutoAdvancing?: boolean | undefined },
): Promise<{ draft: Invoice; invoice: Invoice }> {
  const draft = await lockInvoice(query, { accountId, invoiceId });
  if (draft.state !== InvoiceState.DRAFT) {
    refuse(Code.FailedPrecondition, "INVOICE_NOT_DRAFT", `the invoice ${invoiceId} is finalized`, "invoice_id");
  }
  refuseUnpayable(draft);
  await query(FINALIZE, [accountId, invoiceId, isAutoAdvancing ?? null, COLLECT_LEASE_MS]);
  await query(SEND, [accountId, invoiceId, createId("snd_")]);
  return { draft, invoice: await lockInvoice(query, { accountId, invoiceId }, { orProvisional: true }) };
}

/** Gives the invoice of a provisional subscription its number. */
export async function numberInvoice(query: Query, { accountId, invoiceId }: InvoiceKey): Promise<void> {
  await query(CONFIRM, [accountId, invoiceId]);
}

/**
 * Refuses a total that no charge could be: with INVOICE_TOTAL_NEGATIVE credits that outweigh the charges and, where it is
 * charged by itself, with INVOICE_TOTAL_TOO_SMALL less than the currency's minimum, since there is no customer balance yet
 * that would keep either; with INVOICE_TOTAL_TOO_LARGE more than one charge may be. `IS_PAYABLE` (due.ts) knows the same.
 */
function refuseUnpayable({ invoiceId, totalMinor, currencyCode, collectionMethod }: Invoice): void {
  const isCharged = collectionMethod === CollectionMethod.CHARGE_AUTOMATICALLY;
  const { leastMinor, mostMinor } = chargeBounds({ currencyCode, isCharged });
  const message = `the total of the invoice ${invoiceId} is ${totalMinor}`;
  if (totalMinor < 0n) refuse(Code.FailedPrecondition, "INVOICE_TOTAL_NEGATIVE", message, "invoice_id");
  if (totalMinor > mostMinor) refuse(Code.FailedPrecondition, "INVOICE_TOTAL_TOO_LARGE", message, "invoice_id");
  if (totalMinor > 0n && totalMinor < leastMinor) {
    refuse(Code.FailedPrecondition, "INVOICE_TOTAL_TOO_SMALL", message, "invoice_id");
  }
}

/** The events of an invoice that was just finalized: one of nothing is paid at once, which Stripe calls a payment too. */
export function finalizeEvents({ state }: Invoice): InvoiceEventType[] {
  const isPaid = state === InvoiceState.PAID;
  return isPaid ? ["invoice.finalized", "invoice.paid", "invoice.payment_succeeded"] : ["invoice.finalized"];
}
