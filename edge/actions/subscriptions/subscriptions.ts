import type { Static } from "typebox";
import Type from "typebox";
import { clearable, expand, group, id, metadata, optional, text } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataPatchOf, textOf } from "../../messages.ts";
import { found } from "../../reads.ts";
import { defineRoute, replayOf } from "../../route.ts";
import { createSubscriptionRoute } from "./create-subscription.ts";
import { listSubscriptionsRoute } from "./list-subscriptions.ts";
import { showSubscription, subscriptionExpandable } from "./show-subscription.ts";
import { paymentSettings } from "./subscription-params.ts";

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/subscriptions/:id",
  operationId: "retrieveSubscription",
  answers: "Subscription",
  summary: "Retrieve a subscription.",
  params: group({ expand }),
  expandable: subscriptionExpandable,
  mentions: (given) => ({ subscription: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: subscriptionId } = request;
    const { subscription } = await clients.reader.getSubscription({ accountId, subscriptionId });
    return { body: await showSubscription(request, found(subscription)) };
  },
});

const updateParams = group(
  {
    cancel_at_period_end: optional(Type.Boolean()),
    default_payment_method: clearable(id),
    description: clearable(text(500)),
    metadata,
    payment_settings: optional(paymentSettings),
    expand,
  },
  {
    "x-ignored": {
      off_session: "Nothing that can be changed here makes a payment.",
      proration_behavior: "Nothing that can be changed here is prorated: items and periods stay as they are.",
    },
  },
);

const updateRoute = defineRoute({
  method: "POST",
  path: "/v1/subscriptions/:id",
  operationId: "updateSubscription",
  answers: "Subscription",
  summary: "Change a subscription's words, its payment method, and whether it ends with its period.",
  params: updateParams,
  expandable: subscriptionExpandable,
  mentions: (given, { default_payment_method: paymentMethod }) =>
    mentions({
      subscription: mention(given, "id"),
      paymentMethod: mention(paymentMethod, "default_payment_method"),
    }),
  async run(request, given) {
    const { accountId, clients, id: subscriptionId, identity } = request;
    const metadataPatch = metadataPatchOf(given.metadata);
    const { subscription, isReplayed } = await clients.writer.updateSubscription({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      subscription: {
        subscriptionId,
        description: textOf(given.description),
        defaultPaymentMethodId: textOf(given.default_payment_method),
        isEndingWithPeriod: given.cancel_at_period_end ?? false,
      },
      updateMask: { paths: pathsOf(given) },
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
    });
    return { body: await showSubscription(request, found(subscription)), isReplayed };
  },
  replay: replayOf("subscription", showSubscription),
});

// The internal mask names fields.
const paths = {
  cancel_at_period_end: "is_ending_with_period",
  default_payment_method: "default_payment_method_id",
  description: "description",
};

function pathsOf(given: Static<typeof updateParams>): string[] {
  return Object.entries(paths).flatMap(([name, path]) => (Object.hasOwn(given, name) ? [path] : []));
}

const cancelRoute = defineRoute({
  method: "DELETE",
  path: "/v1/subscriptions/:id",
  operationId: "cancelSubscription",
  answers: "Subscription",
  summary: "End a subscription now; what is owed stays owed.",
  // Nothing is given back for the rest of a period, and nothing billed for it.
  params: group({ invoice_now: optional(Type.Literal(false)), prorate: optional(Type.Literal(false)), expand }),
  expandable: subscriptionExpandable,
  mentions: (given) => ({ subscription: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: subscriptionId, identity } = request;
    const { subscription, isReplayed } = await clients.writer.cancelSubscription({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      subscriptionId,
    });
    return { body: await showSubscription(request, found(subscription)), isReplayed };
  },
});

/** The routes of subscriptions. */
export const subscriptionRoutes = [
  createSubscriptionRoute,
  retrieveRoute,
  updateRoute,
  cancelRoute,
  listSubscriptionsRoute,
];
