import { create } from "@bufbuild/protobuf";
import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { BeginChargeRequestSchema } from "../../gen/tripe/writer/v1/charges_pb.ts";
import type { BeginCollectionRequest } from "../../gen/tripe/writer/v1/collections_pb.ts";
import type { Query, Statement } from "../_database/connect.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { createId } from "../_runtime/ids.ts";
import type { WriterDependencies } from "./answers.ts";
import { beginCharges } from "./begin-charge.ts";
import { currentCause } from "./cause.ts";
import { claimCollection, findCollectionClaim } from "./collection-claims.ts";
import { findOwn } from "./explain-charge.ts";
import { lockInvoice } from "./invoice-rows.ts";
import { LEASE_MS } from "./lease.ts";

/** What is to be done for an invoice. */
export interface BegunCollection {
  readonly invoice: Invoice;
  /** The charge that pays it, or has paid it, or was last to try; absent when there is nothing to charge it to. */
  readonly charge?: Charge;
  /** Leased to the caller; absent when nothing was begun here. */
  readonly attempt?: Attempt;
  /** Whether the charge is that of an equal request before. */
  readonly isReplayed?: boolean;
  /** Whether a charge was to be begun and there is no payment method for it. */
  readonly isWithoutPayer?: boolean;
}

const CHARGE = {
  name: "charge_of_invoice",
  text: `select ${chargeColumns} from charge c ${chargeJoins}
    where c.account_id = $1 and c.charge_id = $2 and c.invoice_id = $3`,
};

/** The payment of an invoice that is under way; at most one row. */
export const IS_OPEN: Statement = {
  name: "open_payment_of_invoice",
  text: "select charge_id from invoice_payment where account_id = $1 and invoice_id = $2 and state = 'open'",
};

/** Whether the schedule is to try it now; asked of who holds the invoice, since a decline may just have put it off. */
const IS_DUE: Statement = {
  name: "is_collection_due",
  text: `select 1 from invoice where account_id = $1 and invoice_id = $2 and state = 'open' and is_auto_advancing
    and collection_method = 'charge_automatically' and next_attempt_time <= business_now($1, customer_id)`,
};

/** One's own default goes before the customer's, unless it was detached since. */
const PAYER = {
  name: "payer_of_invoice",
  text: `select coalesce($3, d.payment_method_id, e.payment_method_id, u.default_payment_method_id) as payment_method_id,
      (select count(*)::int from invoice_payment y where y.account_id = $1 and y.invoice_id = $2) as payments_count
    from invoice n join customer u on u.account_id = n.account_id and u.customer_id = n.customer_id
    left join subscription s on s.account_id = n.account_id and s.subscription_id = n.subscription_id
    left join payment_method d on d.account_id = n.account_id and d.payment_method_id = n.default_payment_method_id
      and d.detach_time is null
    left join payment_method e on e.account_id = s.account_id and e.payment_method_id = s.default_payment_method_id
      and e.detach_time is null
    where n.account_id = $1 and n.invoice_id = $2`,
};

/** Leased: whoever dies between the bank and the settlement is followed by the sweep, which finishes what is under way. */
const BEGIN = {
  name: "begin_collection",
  text: `with charged as (
      update charge set invoice_id = $2 where account_id = $1 and charge_id = $3
    ), opened as (
      insert into invoice_payment (account_id, invoice_payment_id, invoice_id, charge_id, amount_minor, currency_code,
        state, is_counted, create_time)
      select $1, $4, $2, $3, amount_due_minor, currency_code, 'open', $5::boolean, business_now($1, customer_id)
      from invoice where account_id = $1 and invoice_id = $2
    )
    update invoice set revision = revision + 1, charge_id = $3, attempt_count = attempt_count + $5::boolean::int,
      lease_end_time = statement_timestamp() + ${LEASE_MS} * interval '1 ms'
    where account_id = $1 and invoice_id = $2`,
};

/**
 * Begins the charge that pays an invoice, unless one is under way or the invoice is owed no more: the invoice's row is
 * locked, so that two at once begin one. The schedule begins one only for what is collected by itself and is due. The
 * charge's request id is the invoice's and the number of the attempt, and the payment remembers whether it is counted.
 * The same request again finds the charge it began, whatever became of it; with the same ids too, its caller gets the
 * attempt again. Refuses INVOICE_NOT_FOUND and REQUEST_ID_REUSED.
 */
export async function beginCollection(
  { database }: WriterDependencies,
  request: BeginCollectionRequest,
): Promise<BegunCollection> {
  const { accountId, invoiceId } = request;
  return database.transaction(async (query) => {
    const invoice = await lockInvoice(query, { accountId, invoiceId }, { orProvisional: true });
    const claimedId = await findCollectionClaim(query, request);
    if (claimedId !== undefined) {
      const own = claimedId === request.chargeId ? await findOwn(query, request) : undefined;
      if (own !== undefined) return { invoice, ...own };
      return { invoice, ...(await chargeOfInvoice(query, invoice, accountId, claimedId)), isReplayed: true };
    }
    const [open] = await query<{ charge_id: string }>(IS_OPEN, [accountId, invoiceId]);
    const isOwed = invoice.state === InvoiceState.OPEN || invoice.state === InvoiceState.UNCOLLECTIBLE;
    if (open === undefined && isOwed) {
      const isToBegin = !request.isScheduled || (await query(IS_DUE, [accountId, invoiceId])).length > 0;
      return isToBegin ? begin(query, request, invoice) : { invoice };
    }
    const { charge } = await chargeOfInvoice(query, invoice, accountId, open?.charge_id ?? invoice.chargeId);
    // Who is told that it is paid is told so again. A charge under way may fail yet, and is then not this request's.
    const isPaid = invoice.state === InvoiceState.PAID && charge?.state === ChargeState.SUCCEEDED;
    if (isPaid) await claimCollection(query, request, charge.chargeId);
    return { invoice, ...(charge && { charge }) };
  });
}

async function begin(query: Query, request: BeginCollectionRequest, invoice: Invoice): Promise<BegunCollection> {
  const { accountId, invoiceId, paymentMethodId, chargeId } = request;
  const [payer] = await query<{ payment_method_id: string | null; payments_count: number }>(PAYER, [
    accountId,
    invoiceId,
    nullIfEmpty(paymentMethodId),
  ]);
  if (!payer?.payment_method_id) return { invoice, isWithoutPayer: true };
  // Stripe's: what a person tries after the first attempt does not affect the schedule of retries (`attempt_count` in
  // docs.stripe.com/api/invoices/object). It is numbered apart from the schedule's attempts.
  const isCounted = request.isScheduled || invoice.attemptCount === 0;
  const requestId = isCounted ? attemptRequestId(invoice) : `${invoiceId}/extra/${payer.payments_count + 1}`;
  const by = { requestId, paymentMethodId: payer.payment_method_id };
  const [begun] = await beginCharges(query, [commandOf(request, invoice, by)]);
  // The payment method was detached since: nothing to charge it to.
  if (begun === undefined) return { invoice, isWithoutPayer: true };
  await query(BEGIN, [accountId, invoiceId, chargeId, createId("inpay_"), isCounted]);
  await claimCollection(query, request, chargeId);
  const charge = { ...begun.charge, invoiceId };
  return { ...begun, charge, invoice: await lockInvoice(query, { accountId, invoiceId }, { orProvisional: true }) };
}

/** What the next counted attempt to collect an invoice is known by: its charge's request id, or that of having none (transactions). */
export function attemptRequestId({ invoiceId, attemptCount }: Invoice): string {
  return `${invoiceId}/${attemptCount + 1}`;
}

async function chargeOfInvoice(
  query: Query,
  invoice: Invoice,
  accountId: string,
  chargeId: string,
): Promise<{ charge?: Charge }> {
  const [row] = await query<ChargeRow>(CHARGE, [accountId, chargeId, invoice.invoiceId]);
  return row === undefined ? {} : { charge: chargeOf(row) };
}

function commandOf(
  request: BeginCollectionRequest,
  invoice: Invoice,
  { requestId, paymentMethodId }: { requestId: string; paymentMethodId: string },
) {
  const { accountId, chargeId, attemptId } = request;
  const charge = create(ChargeSchema, {
    chargeId,
    ...(invoice.amountDue && { amount: invoice.amountDue }),
    customerId: invoice.customerId,
    paymentMethodId,
    description: invoice.number === "" ? "" : `Invoice ${invoice.number}`,
    receiptEmail: invoice.customerDetails?.email ?? "",
  });
  return {
    request: create(BeginChargeRequestSchema, { accountId, requestId, attemptId, charge }),
    charge,
    cause: currentCause(),
  };
}
