import type Stripe from "stripe";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { addressView } from "./address.ts";
import { customerOrDeletedView } from "./customer.ts";
import { expandableOf } from "./expandable.ts";
import { textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

type InvoiceCustomer = Pick<
  Wire<Stripe.Invoice>,
  | "customer"
  | "customer_account"
  | "customer_address"
  | "customer_email"
  | "customer_name"
  | "customer_phone"
  | "customer_shipping"
  | "customer_tax_exempt"
  | "customer_tax_ids"
>;

/** Shows who an invoice is for: the customer as it is, and the details as the invoice holds them. */
export function invoiceCustomerView(invoice: Invoice, customer: Customer | undefined): InvoiceCustomer {
  const { customerDetails: details } = invoice;
  return {
    customer: expandableOf(invoice.customerId, customer, customerOrDeletedView),
    customer_account: null,
    customer_address: details?.address === undefined ? null : addressView(details.address),
    customer_email: textOrNull(details?.email ?? ""),
    customer_name: textOrNull(details?.name ?? ""),
    customer_phone: textOrNull(details?.phone ?? ""),
    customer_shipping: null,
    customer_tax_exempt: "none",
    customer_tax_ids: [],
  };
}
