import type Stripe from "stripe";
import type { Customer } from "../../../gen/tripe/billing/v1/customer_pb.ts";
import { sourceView } from "../../../services/_views/card.ts";
import { customerView } from "../../../services/_views/customer.ts";
import { type ListView, listView } from "../../../services/_views/list.ts";
import type { Wire } from "../../../services/_views/wire.ts";
import type { PublicRequest } from "../../route.ts";

/** What of a customer can be shown whole. */
export const customerExpandable = ["default_source", "invoice_settings.default_payment_method", "sources"];

type SourceList = ListView<Wire<Stripe.Card>>;

/** Shows a customer with what was asked to be whole; `known` are its sources, when they were read already. */
export async function showCustomer(request: PublicRequest, customer: Customer, known?: SourceList) {
  const { expand, reads } = request;
  const { customerId, defaultPaymentMethodId, isDefaultFromSource } = customer;
  const ofDefault = (path: string, isHere: boolean) =>
    expand.has(path) && isHere ? reads.paymentMethod(defaultPaymentMethodId) : undefined;
  const [defaultSource, defaultPaymentMethod, sources] = await Promise.all([
    ofDefault("default_source", isDefaultFromSource),
    ofDefault("invoice_settings.default_payment_method", !isDefaultFromSource),
    known ?? (expand.has("sources") ? listSources(request, customerId) : undefined),
  ]);
  return customerView(customer, {
    default_source: defaultSource,
    "invoice_settings.default_payment_method": defaultPaymentMethod,
    sources,
  });
}

// As many as Stripe shows inside another object.
const SOURCES_MAX = 10;

/** Lists a customer's cards, as they stand inside the customer. */
export async function listSources({ accountId, clients }: PublicRequest, customerId: string): Promise<SourceList> {
  const page = await clients.reader.listPaymentMethods({ accountId, customerId, pageSize: SOURCES_MAX });
  const data = page.paymentMethods.map(sourceView);
  return listView({ url: `/v1/customers/${customerId}/sources`, data, hasMore: page.nextPageToken !== "" });
}
