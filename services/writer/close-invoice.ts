import { Code } from "@connectrpc/connect";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type {
  MarkInvoiceUncollectibleRequest,
  PayInvoiceOutOfBandRequest,
  VoidInvoiceRequest,
} from "../../gen/tripe/writer/v1/invoices_pb.ts";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import type { Request, WriterDependencies } from "./answers.ts";
import { lockInvoice } from "./invoice-rows.ts";
import { type InvoiceEventType, invoiceEffect } from "./invoices.ts";
import { once } from "./once.ts";
import { nounOf } from "./snapshots.ts";
import { activateSubscription } from "./subscription-states.ts";

const VOID = {
  name: "void_invoice",
  text: `update invoice set revision = revision + 1, state = 'void', void_time = business_now($1, customer_id),
      next_attempt_time = null, is_auto_advancing = false
    where account_id = $1 and invoice_id = $2`,
};

const GIVE_UP = {
  name: "give_invoice_up",
  text: `update invoice set revision = revision + 1, state = 'uncollectible',
      uncollectible_time = business_now($1, customer_id), next_attempt_time = null
    where account_id = $1 and invoice_id = $2`,
};

const PAY = {
  name: "pay_invoice_out_of_band",
  text: `with paid as (
      update invoice set revision = revision + 1, state = 'paid', pay_time = business_now($1, customer_id),
        paid_minor = amount_due_minor, is_paid_out_of_band = true, next_attempt_time = null
      where account_id = $1 and invoice_id = $2
      returning amount_due_minor, currency_code, pay_time
    )
    insert into invoice_payment (account_id, invoice_payment_id, invoice_id, amount_minor, currency_code, state,
      create_time, pay_time)
    select $1, $3, $2, amount_due_minor, currency_code, 'paid', pay_time, pay_time from paid where amount_due_minor > 0`,
};

const PAYMENT_OPEN = {
  name: "is_invoice_payment_open",
  text: "select 1 from invoice_payment where account_id = $1 and invoice_id = $2 and state = 'open'",
};

/** From which states each of these acts may go (4-billing.md): the one table of it. */
const OWED = [InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE];
const ONLY_OPEN = [InvoiceState.OPEN];

/** Voids an invoice that is owed. It keeps its number. Refuses as `changeOwed` does. */
export async function voidInvoice(dependencies: WriterDependencies, request: VoidInvoiceRequest) {
  return changeOwed(dependencies, request, OWED, async (query, { accountId, invoiceId }) => {
    await query(VOID, [accountId, invoiceId]);
    return ["invoice.voided"];
  });
}

/** Gives an open invoice up. Refuses as `changeOwed` does. */
export async function markInvoiceUncollectible(
  dependencies: WriterDependencies,
  request: MarkInvoiceUncollectibleRequest,
) {
  return changeOwed(dependencies, request, ONLY_OPEN, async (query, { accountId, invoiceId }) => {
    await query(GIVE_UP, [accountId, invoiceId]);
    return ["invoice.marked_uncollectible"];
  });
}

/** Records that an invoice was paid elsewhere, wholly. Refuses as `changeOwed` does. */
export async function payInvoiceOutOfBand(dependencies: WriterDependencies, request: PayInvoiceOutOfBandRequest) {
  return changeOwed(dependencies, request, OWED, async (query, { accountId, invoiceId, invoice }) => {
    await query(PAY, [accountId, invoiceId, createId("inpay_")]);
    await activateSubscription(query, { accountId, invoiceId, subscriptionId: invoice.subscriptionId });
    return ["invoice.paid"];
  });
}

type Change = (
  query: Query,
  of: { accountId: string; invoiceId: string; invoice: Invoice },
) => Promise<InvoiceEventType[]>;

/**
 * Changes an invoice that is owed and whose payment is not under way. Refuses INVOICE_NOT_FOUND, INVOICE_ALREADY_PAID,
 * INVOICE_NOT_OPEN (a draft, or void) and INVOICE_PAYMENT_PENDING.
 */
async function changeOwed(
  dependencies: WriterDependencies,
  request: Request & { readonly invoiceId: string },
  from: readonly InvoiceState[],
  change: Change,
) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, invoiceId } = request;
    const invoice = await lockInvoice(query, { accountId, invoiceId });
    refuseUnlessOwed(invoice, from);
    if ((await query(PAYMENT_OPEN, [accountId, invoiceId])).length > 0) {
      const message = `a payment of the invoice ${invoiceId} is under way`;
      refuse(Code.FailedPrecondition, "INVOICE_PAYMENT_PENDING", message, "invoice_id");
    }
    const types = await change(query, { accountId, invoiceId, invoice });
    return invoiceEffect(await lockInvoice(query, { accountId, invoiceId }), types, invoice);
  });
  return { invoice: nounOf(answer, "invoice"), isReplayed };
}

/** Refuses with INVOICE_ALREADY_PAID or INVOICE_NOT_OPEN an invoice that is in none of the states. */
export function refuseUnlessOwed({ invoiceId, state }: Invoice, from: readonly InvoiceState[] = OWED): void {
  if (from.includes(state)) return;
  if (state === InvoiceState.PAID) {
    refuse(Code.FailedPrecondition, "INVOICE_ALREADY_PAID", `the invoice ${invoiceId} is paid`, "invoice_id");
  }
  refuse(Code.FailedPrecondition, "INVOICE_NOT_OPEN", `the invoice ${invoiceId} is not open`, "invoice_id");
}
