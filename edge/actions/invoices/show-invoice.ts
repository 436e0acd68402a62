import type Stripe from "stripe";
import type { Invoice } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { invoiceView } from "../../../services/_views/invoice.ts";
import { invoicePaymentView } from "../../../services/_views/invoice-payment.ts";
import { type ListView, listView } from "../../../services/_views/list.ts";
import type { Wire } from "../../../services/_views/wire.ts";
import type { PublicRequest } from "../../route.ts";

/** What of an invoice can be shown whole; `charge` and `subscription` are where older versions had them. */
export const invoiceExpandable = [
  "charge",
  "customer",
  "default_payment_method",
  "parent.subscription_details.subscription",
  "payments",
  "subscription",
];

type PaymentList = ListView<Wire<Stripe.InvoicePayment>>;

/** Shows an invoice with what was asked to be whole; `known` are its payments, when they were read already. */
export async function showInvoice(request: PublicRequest, invoice: Invoice, known?: PaymentList) {
  const { expand, reads } = request;
  const ofParent = "parent.subscription_details.subscription";
  const [charge, customer, paymentMethod, subscription, payments] = await Promise.all([
    expand.has("charge") ? reads.charge(invoice.chargeId) : undefined,
    expand.has("customer") ? reads.customer(invoice.customerId) : undefined,
    expand.has("default_payment_method") ? reads.paymentMethod(invoice.defaultPaymentMethodId) : undefined,
    expand.has("subscription") || expand.has(ofParent) ? reads.subscription(invoice.subscriptionId) : undefined,
    known ?? (expand.has("payments") ? listPayments(request, invoice.invoiceId) : undefined),
  ]);
  return invoiceView(invoice, {
    charge,
    customer,
    default_payment_method: paymentMethod,
    invoicePdfUrl: request.invoicePdfUrl(invoice),
    [ofParent]: expand.has(ofParent) ? subscription : undefined,
    payments,
    subscription: expand.has("subscription") ? subscription : undefined,
  });
}

// As many as Stripe shows inside another object.
const PAYMENTS_MAX = 10;

/** Lists an invoice's payments, as they stand inside the invoice. */
export async function listPayments(
  { accountId, clients }: Pick<PublicRequest, "accountId" | "clients">,
  invoiceId: string,
): Promise<PaymentList> {
  const page = await clients.reader.listInvoicePayments({ accountId, invoiceId, pageSize: PAYMENTS_MAX });
  const data = page.invoicePayments.map((payment) => invoicePaymentView(payment));
  return listView({ url: `/v1/invoice_payments?invoice=${invoiceId}`, data, hasMore: page.nextPageToken !== "" });
}
