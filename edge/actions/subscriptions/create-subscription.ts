import { Code } from "@connectrpc/connect";
import { type Charge, ChargeState } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { type Subscription, SubscriptionState } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import type { CreateSubscriptionResponse } from "../../../gen/tripe/writer/v1/subscriptions_pb.ts";
import { refusalOf } from "../../../services/_runtime/errors.ts";
import { mention, mentions } from "../../mentions.ts";
import { Problem } from "../../problem.ts";
import { cardDeclined } from "../../problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest } from "../../route.ts";
import { paymentMethodMissing } from "../../subscription-problems.ts";
import { planSubscription } from "./plan-subscription.ts";
import { readExpansions, showSubscription, subscriptionExpandable } from "./show-subscription.ts";
import { ITEMS_MAX } from "./subscription-items.ts";
import { type SubscriptionParams, subscriptionParams } from "./subscription-params.ts";

/**
 * Makes a subscription and has its first invoice paid: reader.GetPayer beside the prices and the customer's pending items →
 * writer.CreateSubscription →
 * transactions.CollectInvoice, when there is something to charge → the subscription and its invoice, read again.
 */
export const createSubscriptionRoute = defineRoute({
  method: "POST",
  path: "/v1/subscriptions",
  operationId: "createSubscription",
  answers: "Subscription",
  mayDecline: true,
  needsBank: true,
  summary: "Make a subscription; its first invoice is paid at once.",
  params: subscriptionParams,
  expandable: subscriptionExpandable,
  mentions: (_, given) =>
    mentions({
      customer: mention(given.customer, "customer"),
      paymentMethod: mention(given.default_payment_method, "default_payment_method"),
    }),
  async run(request, given) {
    const { subscription, isReplayed } = await createOrFind(request, given);
    const made = found(subscription);
    const isCollected = made.state === SubscriptionState.INCOMPLETE && behaviorOf(given) !== "default_incomplete";
    const charge = isCollected ? await collect(request, made, isReplayed) : undefined;
    if (isCollected && behaviorOf(given) === "error_if_incomplete") {
      const problem = await cancelUnlessPaid(request, made, charge);
      if (problem !== undefined) return { body: problem, isReplayed };
    }
    // What was stored is the subscription before it was paid.
    const current = isCollected || isReplayed ? await readAgain(request, made) : made;
    return { body: await showSubscription(request, current), isReplayed };
  },
});

function behaviorOf({ payment_behavior: behavior = "allow_incomplete" }: SubscriptionParams) {
  return behavior;
}

/** Two invoices of one customer may want one pending item at the same moment: the later looks again, so often. */
const TRIES_MAX = 3;

/**
 * Makes the subscription. When it cannot be made (any more), an equal request may have made it before, under the same key:
 * the writer is asked with a subscription of nobody, which it can find and cannot make.
 */
async function createOrFind(request: PublicRequest, given: SubscriptionParams): Promise<CreateSubscriptionResponse> {
  const { accountId, clients, identity } = request;
  const key = { accountId, requestId: identity.requestId, requestDigest: identity.digest };
  let problem: Problem | undefined;
  for (let tries = 1; problem === undefined; tries += 1) {
    try {
      const planned = await planSubscription(request, given);
      return await clients.writer.createSubscription({ ...key, ...planned });
    } catch (error) {
      if (refusalOf(error)?.reason === "INVOICE_ITEM_TAKEN" && tries < TRIES_MAX) continue;
      if (!(request.isRepeatable && error instanceof Problem && error.status < 500)) throw error;
      problem = error;
    }
  }
  try {
    return await clients.writer.createSubscription({ ...key, subscription: {}, invoice: { currencyCode: "XXX" } });
  } catch (error) {
    const code = refusalOf(error)?.code;
    if (code === Code.AlreadyExists || code === Code.Aborted) throw error;
    throw problem;
  }
}

/** Has the first invoice paid, once: an equal request that comes later learns what became of it. */
async function collect(request: PublicRequest, made: Subscription, isReplayed: boolean): Promise<Charge | undefined> {
  const { accountId, clients, identity, reads } = request;
  const { latestInvoiceId: invoiceId } = made;
  if (isReplayed) {
    // Not by `reads`, which would show the invoice as it was before it is paid.
    const invoice = found((await clients.reader.getInvoice({ accountId, invoiceId })).invoice);
    const isUntried = invoice.state === InvoiceState.OPEN && invoice.attemptCount === 0;
    if (!isUntried) return reads.charge(invoice.chargeId);
  }
  // Its items may have had the steps before, and taking it back has the next.
  const requestId = identity.step(ITEMS_MAX + 2);
  const { charge } = await clients.transactions.collectInvoice({ accountId, requestId, invoiceId });
  return charge;
}

/** Takes a subscription back whose card was declined, and says so. What the bank has not answered yet is left to be. */
async function cancelUnlessPaid(
  { accountId, clients, identity }: PublicRequest,
  { subscriptionId }: Subscription,
  charge: Charge | undefined,
): Promise<Problem | undefined> {
  if (charge?.state === ChargeState.SUCCEEDED || charge?.state === ChargeState.PENDING) return undefined;
  // Its items may have had the steps before.
  const requestId = identity.step(ITEMS_MAX + 1);
  await clients.writer.cancelSubscription({ accountId, requestId, requestDigest: identity.digest, subscriptionId });
  if (charge === undefined) return paymentMethodMissing();
  return cardDeclined(charge.decline ?? { reason: "processing_error", responseCode: "" }, charge.chargeId);
}

async function readAgain(request: PublicRequest, made: Subscription): Promise<Subscription> {
  // What is shown whole is read beside it: the ids are known.
  const [current] = await Promise.all([request.reads.subscription(made.subscriptionId), readExpansions(request, made)]);
  return found(current);
}
