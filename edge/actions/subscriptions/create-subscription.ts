import { type Charge, ChargeState } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { InvoiceState } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import { type Subscription, SubscriptionState } from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import type { CreateSubscriptionResponse } from "../../../gen/tripe/writer/v1/subscriptions_pb.ts";
import { assert, refusalOf } from "../../../services/_runtime/errors.ts";
import { mention, mentions } from "../../mentions.ts";
import type { Problem } from "../../problem.ts";
import { cardDeclined, unavailable } from "../../problems.ts";
import { found } from "../../reads.ts";
import { type Answer, defineRoute, type PublicRequest } from "../../route.ts";
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
    const { subscription, declinedCharge, isReplayed } = await create(request, given);
    if (declinedCharge !== undefined) return { body: declineOf(declinedCharge), isReplayed };
    return finish(request, given, { made: found(subscription), isReplayed });
  },
  async replay(request, stored, given) {
    if (stored.case === "charge") return { body: declineOf(stored.value), isReplayed: true };
    assert(stored.case === "subscription", "the stored answer is the subscription, or the charge that was declined");
    return finish(request, given, { made: stored.value, isReplayed: true });
  },
});

/** Has the first invoice paid, when that is asked for, and shows the subscription. */
async function finish(
  request: PublicRequest,
  given: SubscriptionParams,
  { made, isReplayed }: { made: Subscription; isReplayed: boolean },
): Promise<Answer> {
  const isCollected = made.state === SubscriptionState.INCOMPLETE && behaviorOf(given) !== "default_incomplete";
  if (isCollected && behaviorOf(given) === "error_if_incomplete") {
    const problem = await collectOrDelete(request, made);
    if (problem !== undefined) return { body: problem, isReplayed };
  } else if (isCollected) {
    await collect(request, made, isReplayed);
  }
  // What was stored is the subscription before it was paid.
  const current = isCollected || isReplayed ? await readAgain(request, made) : made;
  return { body: await showSubscription(request, current), isReplayed };
}

function behaviorOf({ payment_behavior: behavior = "allow_incomplete" }: SubscriptionParams) {
  return behavior;
}

/** Two invoices of one customer may want one pending item at the same moment: the later looks again, so often. */
const TRIES_MAX = 3;

async function create(request: PublicRequest, given: SubscriptionParams): Promise<CreateSubscriptionResponse> {
  const { accountId, clients, identity } = request;
  const key = { accountId, requestId: identity.requestId, requestDigest: identity.digest };
  for (let tries = 1; ; tries += 1) {
    try {
      const planned = await planSubscription(request, given);
      const isStrict = behaviorOf(given) === "error_if_incomplete";
      const isProvisional = isStrict && planned.subscription.state === SubscriptionState.INCOMPLETE;
      return await clients.writer.createSubscription({ ...key, ...planned, isProvisional });
    } catch (error) {
      if (refusalOf(error)?.reason !== "INVOICE_ITEM_TAKEN" || tries === TRIES_MAX) throw error;
    }
  }
}

/** Has the first invoice paid, once: an equal request that comes later finds what became of it. */
async function collect(request: PublicRequest, made: Subscription, isReplayed: boolean): Promise<void> {
  const { accountId, clients } = request;
  const { latestInvoiceId: invoiceId } = made;
  if (isReplayed) {
    // Not by `reads`, which would show the invoice as it was before it is paid.
    const invoice = found((await clients.reader.getInvoice({ accountId, invoiceId })).invoice);
    if (invoice.state !== InvoiceState.OPEN || invoice.attemptCount > 0) return;
  }
  await clients.transactions.collectInvoice({ accountId, requestId: collectionStep(request), invoiceId });
}

/**
 * Has the first invoice of a provisional subscription paid, or its end found. When the payment fails the writer deletes both,
 * and this returns the client's problem. What the bank has not answered yet is a 503: a repeat with the same key finds how it ended.
 */
async function collectOrDelete(request: PublicRequest, made: Subscription): Promise<Problem | undefined> {
  const { accountId, clients } = request;
  const { latestInvoiceId: invoiceId } = made;
  const charge = await clients.transactions
    .collectInvoice({ accountId, requestId: collectionStep(request), invoiceId })
    .then(({ charge }) => charge)
    .catch((error: unknown) => {
      // An equal request, or the sweep, was faster to find that it failed: a repeat is answered with that.
      throw refusalOf(error)?.reason === "INVOICE_NOT_FOUND" ? unavailable(error) : error;
    });
  if (charge === undefined) return paymentMethodMissing();
  if (charge.state === ChargeState.PENDING) throw unavailable();
  return charge.state === ChargeState.SUCCEEDED ? undefined : declineOf(charge);
}

/** The request id of the collection: its items may have had the steps before. */
function collectionStep({ identity }: PublicRequest): string {
  return identity.step(ITEMS_MAX + 2);
}

function declineOf({ chargeId, decline }: Charge): Problem {
  return cardDeclined(decline ?? { reason: "processing_error", responseCode: "" }, chargeId);
}

async function readAgain(request: PublicRequest, made: Subscription): Promise<Subscription> {
  // What is shown whole is read beside it: the ids are known.
  const [current] = await Promise.all([request.reads.subscription(made.subscriptionId), readExpansions(request, made)]);
  return found(current);
}
