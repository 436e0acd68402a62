import type Stripe from "stripe";
import type { Customer } from "../../../gen/tripe/billing/v1/customer_pb.ts";
import type { PaymentMethod } from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { ListPaymentMethodsResponse } from "../../../gen/tripe/reader/v1/payment_methods_pb.ts";
import { sourceView } from "../../../services/_views/card.ts";
import { customerView } from "../../../services/_views/customer.ts";
import { type ListView, listView } from "../../../services/_views/list.ts";
import type { Wire } from "../../../services/_views/wire.ts";
import type { PublicRequest } from "../../route.ts";

/** What of a customer can be shown whole. */
export const customerExpandable = ["default_source", "invoice_settings.default_payment_method", "sources"];

/** The newest of a customer's cards. */
export type NewestSources = Pick<ListPaymentMethodsResponse, "nextPageToken" | "paymentMethods">;

/** Shows a customer with what was asked to be whole; `known` are its newest sources, when they were read already. */
export async function showCustomer(request: PublicRequest, customer: Customer, known?: NewestSources) {
  const { expand, reads } = request;
  const { customerId, defaultPaymentMethodId, isDefaultFromSource } = customer;
  const ofDefault = (path: string, isHere: boolean) =>
    expand.has(path) && isHere ? reads.paymentMethod(defaultPaymentMethodId) : undefined;
  const [defaultSource, defaultPaymentMethod, newest] = await Promise.all([
    ofDefault("default_source", isDefaultFromSource),
    ofDefault("invoice_settings.default_payment_method", !isDefaultFromSource),
    known ?? (expand.has("sources") ? listSources(request, customerId) : undefined),
  ]);
  return customerView(customer, {
    default_source: defaultSource,
    "invoice_settings.default_payment_method": defaultPaymentMethod,
    sources: newest && (await showSources(request, customer, newest)),
  });
}

// As many as Stripe shows inside another object.
const SOURCES_MAX = 10;

/** Reads as many of a customer's cards as stand inside the customer. */
export function listSources({ accountId, clients }: PublicRequest, customerId: string): Promise<NewestSources> {
  return clients.reader.listPaymentMethods({ accountId, customerId, pageSize: SOURCES_MAX });
}

// The default source comes first, as in Stripe: programs of that age charge, and show, `sources.data[0]`.
async function showSources(
  { reads }: PublicRequest,
  { customerId, defaultPaymentMethodId, isDefaultFromSource }: Customer,
  { paymentMethods, nextPageToken }: NewestSources,
): Promise<ListView<Wire<Stripe.Card>>> {
  const isDefault = (card: PaymentMethod) => isDefaultFromSource && card.paymentMethodId === defaultPaymentMethodId;
  const isElsewhere = isDefaultFromSource && nextPageToken !== "" && !paymentMethods.some(isDefault);
  const first = isElsewhere ? await reads.paymentMethod(defaultPaymentMethodId) : paymentMethods.find(isDefault);
  const others = paymentMethods.filter((card) => !isDefault(card));
  const data = [...(first === undefined ? [] : [first]), ...others].slice(0, SOURCES_MAX).map(sourceView);
  return listView({ url: `/v1/customers/${customerId}/sources`, data, hasMore: nextPageToken !== "" });
}
