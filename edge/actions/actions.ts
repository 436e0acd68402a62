import type { EdgeAction } from "../../services/_runtime/config.ts";
import type { Route } from "../route.ts";
import { chargeRoutes } from "./charges/charges.ts";
import { customerRoutes } from "./customers/customers.ts";
import { paymentMethodRoutes } from "./customers/payment-methods.ts";
import { sourceRoutes } from "./customers/sources.ts";
import { tokenRoutes } from "./customers/tokens.ts";
import { eventDeliveriesRoute } from "./events/event-deliveries.ts";
import { eventRoutes } from "./events/events.ts";
import { invoiceRoutes } from "./invoices/invoices.ts";
import { returnRoutes } from "./returns/returns.ts";
import { priceRoutes } from "./subscriptions/prices.ts";
import { productRoutes } from "./subscriptions/products.ts";
import { subscriptionRoutes } from "./subscriptions/subscriptions.ts";
import { retryEventRoute } from "./webhooks/retry-event.ts";
import { webhookEndpointRoutes } from "./webhooks/webhook-endpoints.ts";

/** The routes of each public action. */
export const actionRoutes: Readonly<Record<EdgeAction, readonly Route[]>> = {
  customers: [...customerRoutes, ...sourceRoutes, ...tokenRoutes, ...paymentMethodRoutes],
  charges: chargeRoutes,
  returns: returnRoutes,
  subscriptions: [...productRoutes, ...priceRoutes, ...subscriptionRoutes],
  invoices: invoiceRoutes,
};

/** The routes that every edge serves, whatever its actions: where a merchant hears of what all of them do. */
export const sharedRoutes: readonly Route[] = [
  ...eventRoutes,
  eventDeliveriesRoute,
  ...webhookEndpointRoutes,
  retryEventRoute,
];
