import type { Product } from "../../../gen/tripe/billing/v1/product_pb.ts";
import type { Subscription } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import { subscriptionView } from "../../../services/_views/subscription.ts";
import type { PublicRequest } from "../../route.ts";

/**
 * What of a subscription can be shown whole. What Tripe's invoices are paid with is no payment intent and has no secret:
 * programs that ask for these see the invoice, and null in their place.
 */
export const subscriptionExpandable = [
  "customer",
  "default_payment_method",
  "items.data.price.product",
  "latest_invoice",
  "latest_invoice.charge",
  "latest_invoice.confirmation_secret",
  "latest_invoice.payment_intent",
  "pending_setup_intent",
];

/** Shows a subscription with what was asked to be whole. */
export async function showSubscription(request: PublicRequest, subscription: Subscription) {
  return subscriptionView(subscription, await readExpansions(request, subscription));
}

/** Reads what is to be shown whole of a subscription; what was read in this request already is not read again. */
export async function readExpansions(request: PublicRequest, subscription: Subscription) {
  const { expand, reads } = request;
  const { customerId, defaultPaymentMethodId } = subscription;
  const [customer, paymentMethod, products, latest] = await Promise.all([
    expand.has("customer") ? reads.customer(customerId) : undefined,
    expand.has("default_payment_method") ? reads.paymentMethod(defaultPaymentMethodId) : undefined,
    expand.has("items.data.price.product") ? readProducts(request, subscription) : undefined,
    readLatestInvoice(request, subscription),
  ]);
  return {
    customer,
    default_payment_method: paymentMethod,
    "items.data.price.product": products,
    ...latest,
  };
}

async function readProducts({ reads }: PublicRequest, { items }: Subscription): Promise<Map<string, Product>> {
  const products = await Promise.all(items.map(({ price }) => reads.product(price?.productId ?? "")));
  return new Map(products.flatMap((product) => (product === undefined ? [] : [[product.productId, product]])));
}

async function readLatestInvoice(request: PublicRequest, { latestInvoiceId }: Subscription) {
  const { expand, invoicePdfUrl, reads } = request;
  if (![...expand].some((path) => path.split(".", 1)[0] === "latest_invoice")) return {};
  const invoice = await reads.invoice(latestInvoiceId);
  const charge = expand.has("latest_invoice.charge") ? await reads.charge(invoice?.chargeId ?? "") : undefined;
  return {
    latest_invoice: invoice,
    latestInvoiceExpansions: { charge, invoicePdfUrl: invoice && invoicePdfUrl(invoice) },
  };
}
