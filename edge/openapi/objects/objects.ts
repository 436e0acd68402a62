import type { TSchema } from "typebox";
import { deleted, listOf } from "../shapes.ts";
import { address, billingDetails, shipping } from "./address.ts";
import { card, checks, paymentMethod, token } from "./card.ts";
import { charge } from "./charge.ts";
import { customer } from "./customer.ts";
import { event, eventDelivery, webhookEndpoint } from "./event.ts";
import { invoice } from "./invoice.ts";
import { invoiceItem, invoiceLineItem, invoicePayment } from "./invoice-line.ts";
import { plan, price, product } from "./product.ts";
import { balanceTransaction, refund } from "./refund.ts";
import { subscription, subscriptionItem } from "./subscription.ts";

/** The objects that routes answer with, by the names of their schemas. */
export const answeredObjects = {
  Card: card,
  Charge: charge,
  Customer: customer,
  DeletedCustomer: deleted("customer"),
  DeletedInvoice: deleted("invoice"),
  DeletedInvoiceItem: deleted("invoiceitem"),
  DeletedWebhookEndpoint: deleted("webhook_endpoint"),
  Event: event,
  Invoice: invoice,
  InvoiceItem: invoiceItem,
  InvoiceLineItem: invoiceLineItem,
  InvoicePayment: invoicePayment,
  PaymentMethod: paymentMethod,
  Price: price,
  Product: product,
  Refund: refund,
  Subscription: subscription,
  Token: token,
  EventDelivery: eventDelivery,
  WebhookEndpoint: webhookEndpoint,
} satisfies Record<string, TSchema>;

/** The name of an object that routes answer with. */
export type ObjectName = keyof typeof answeredObjects;

/** The objects that stand inside others only. */
const innerObjects: Readonly<Record<string, TSchema>> = {
  Address: address,
  BalanceTransaction: balanceTransaction,
  BillingDetails: billingDetails,
  CardChecks: checks,
  Plan: plan,
  Shipping: shipping,
  SubscriptionItem: subscriptionItem,
};

/** The objects of which there are lists. */
const listed = [
  "Card",
  "Charge",
  "Customer",
  "Event",
  "EventDelivery",
  "Invoice",
  "InvoiceItem",
  "InvoiceLineItem",
  "InvoicePayment",
  "PaymentMethod",
  "Price",
  "Product",
  "Refund",
  "Subscription",
  "SubscriptionItem",
  "WebhookEndpoint",
];

/** Every schema of an answer, by name: objects, what stands inside them, and pages of lists. */
export const objectSchemas: Readonly<Record<string, TSchema>> = {
  ...answeredObjects,
  ...innerObjects,
  ...Object.fromEntries(listed.map((name) => [`${name}List`, listOf(name)])),
};
