import { create } from "@bufbuild/protobuf";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import { type Snapshot, SnapshotSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import type { Invoice, InvoiceItem } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { PaymentMethod, Token } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { Price, Product } from "../../gen/tripe/billing/v1/product_pb.ts";
import type { Return } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { Subscription } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type { WebhookEndpoint } from "../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";

/** The nouns that are kept as they were. */
export interface Nouns {
  customer: Customer;
  paymentMethod: PaymentMethod;
  charge: Charge;
  return: Return;
  token: Token;
  product: Product;
  price: Price;
  invoice: Invoice;
  invoiceItem: InvoiceItem;
  subscription: Subscription;
  webhookEndpoint: WebhookEndpoint;
}

/** Keeps a noun as it is now. */
export function snapshotOf<Case extends keyof Nouns>(noun: Case, value: Nouns[Case]): Snapshot {
  return create(SnapshotSchema, { noun: { case: noun, value } as Snapshot["noun"] });
}

/** The noun of a snapshot. Throws when it holds another: a request id answers with the noun it made. */
export function nounOf<Case extends keyof Nouns>(snapshot: Snapshot, noun: Case): Nouns[Case] {
  if (snapshot.noun.case !== noun) throw new Error(`a stored answer holds a ${snapshot.noun.case}, not a ${noun}`);
  return snapshot.noun.value as Nouns[Case];
}
