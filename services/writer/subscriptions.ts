import { Code } from "@connectrpc/connect";
import { type Subscription, SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type {
  CancelSubscriptionRequest,
  CreateSubscriptionRequest,
  UpdateSubscriptionRequest,
} from "../../gen/tripe/writer/v1/subscriptions_pb.ts";
import { nullIfEmpty } from "../_database/rows/fields.ts";
import { collectionMethods } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { giveCurrency, refuseOtherCurrency } from "./customer-currency.ts";
import { lockCustomer, refuseDeleted } from "./customer-lock.ts";
import { requireAttached } from "./default-payment-method.ts";
import { endSubscription, lockToEnd } from "./end-subscription.ts";
import { changed, type EventDraft, isSame, told } from "./event-drafts.ts";
import { finalize, finalizeEvents } from "./finalize-invoice.ts";
import { insertInvoice, requiredInvoice } from "./invoice-rows.ts";
import { invoiceEvents } from "./invoices.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, once } from "./once.ts";
import { hideSubscription } from "./provisional-subscription.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";
import { insertSubscription, lockSubscription } from "./subscription-rows.ts";

const UPDATE = {
  name: "update_subscription",
  text: `update subscription set revision = revision + 1, description = $3, metadata = $4,
      default_payment_method_id = $5, collection_method = $6, days_until_due = $7, is_ending_with_period = $8,
      cancel_time = case when end_time is not null then cancel_time when $8 then coalesce(cancel_time, business_now($1, customer_id)) end
    where account_id = $1 and subscription_id = $2`,
};

/** Asked under the lock: whoever found it due may have done so long ago, and it may go on since. */
const IS_DUE = {
  name: "is_subscription_due_to_end",
  text: `select 1 from subscription where account_id = $1 and subscription_id = $2
    and renew_time <= business_now($1, customer_id) and (state = 'incomplete' or is_ending_with_period)`,
};

const UPDATABLE = [
  "description",
  "default_payment_method_id",
  "is_ending_with_period",
  "collection_method",
  "days_until_due",
];

/**
 * Makes a subscription with its first invoice, finalized, in one commit. A provisional one stays hidden until its invoice is
 * paid, and is deleted when the payment fails: an equal request then gets the charge that failed. Refuses a customer that is not there or deleted, and as `refuseOtherCurrency` does.
 */
export async function createSubscription(dependencies: WriterDependencies, request: CreateSubscriptionRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, requestId, isProvisional, subscription } = request;
    assert(subscription !== undefined, "validation requires the subscription");
    const { customerId, subscriptionId, defaultPaymentMethodId } = subscription;
    const invoice = { ...requiredInvoice(request.invoice), ...billedPeriod(subscription) };
    const customer = await lockCustomer(query, { accountId, customerId });
    refuseDeleted(customer);
    const { currencyCode } = subscription;
    await refuseOtherCurrency(query, { accountId, customerId, currencyCode });
    const { invoiceId } = invoice;
    await requireAttached(query, { accountId, customerId, paymentMethodId: defaultPaymentMethodId });
    await insertSubscription(query, { accountId, subscription, invoiceId });
    await insertInvoice(query, { accountId, invoice, holdMs: 0 });
    if (isProvisional) await hideSubscription(query, { accountId, subscriptionId, invoiceId, requestId });
    const { invoice: finalized } = await finalize(query, { accountId, invoiceId });
    const made = await lockSubscription(query, { accountId, subscriptionId });
    if (isProvisional) return subscriptionEffect(made, []);
    const priced = await giveCurrency(query, { accountId, customer, currencyCode });
    return subscriptionEffect(made, [
      ...priced,
      told("customer.subscription.created", "subscription", made),
      ...invoiceEvents(finalized, ["invoice.created", ...finalizeEvents(finalized)]),
    ]);
  });
  if (answer.noun.case === "charge") return { declinedCharge: nounOf(answer, "charge"), isReplayed };
  return { subscription: nounOf(answer, "subscription"), isReplayed };
}

/**
 * Changes a subscription. Refuses SUBSCRIPTION_NOT_FOUND and, with SUBSCRIPTION_NOT_EDITABLE, changes of an ended one beside
 * its metadata.
 */
export async function updateSubscription(dependencies: WriterDependencies, request: UpdateSubscriptionRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, subscription: change } = request;
    assert(change !== undefined, "validation requires the subscription");
    const key = { accountId, subscriptionId: change.subscriptionId };
    const current = await lockSubscription(query, key);
    const paths = request.updateMask?.paths ?? [];
    if (hasEnded(current) && paths.length > 0) {
      const message = `of the subscription ${current.subscriptionId}, which has ended, only the metadata may change`;
      refuse(Code.FailedPrecondition, "SUBSCRIPTION_NOT_EDITABLE", message, "update_mask");
    }
    const next = applyMask(current, change, paths, UPDATABLE);
    next.metadata = patchMetadata(current.metadata, request.metadataPatch);
    if (isSame("subscription", current, next)) return subscriptionEffect(current, []);
    const { customerId, defaultPaymentMethodId } = next;
    await requireAttached(query, { accountId, customerId, paymentMethodId: defaultPaymentMethodId });
    await query(UPDATE, [
      accountId,
      change.subscriptionId,
      next.description,
      JSON.stringify(next.metadata),
      nullIfEmpty(defaultPaymentMethodId),
      collectionMethods.word(next.collectionMethod),
      next.daysUntilDue,
      next.isEndingWithPeriod,
    ]);
    const after = await lockSubscription(query, key);
    return subscriptionEffect(
      after,
      changed("customer.subscription.updated", "subscription", { before: current, after }),
    );
  });
  return { subscription: nounOf(answer, "subscription"), isReplayed };
}

/**
 * Ends a subscription now. Refuses SUBSCRIPTION_NOT_FOUND and SUBSCRIPTION_ENDED; with INVOICE_PAYMENT_PENDING an
 * incomplete one while its first payment is under way, which decides what it becomes; and, where only one that is due is
 * to end, with SUBSCRIPTION_NOT_DUE one that goes on.
 */
export async function cancelSubscription(dependencies: WriterDependencies, request: CancelSubscriptionRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const key = { accountId: request.accountId, subscriptionId: request.subscriptionId };
    const { accountId, subscriptionId } = key;
    const current = await lockToEnd(query, key);
    refuseEnded(current);
    if (request.isOnlyIfDue && (await query(IS_DUE, [accountId, subscriptionId])).length === 0) {
      const message = `the subscription ${subscriptionId} goes on`;
      refuse(Code.FailedPrecondition, "SUBSCRIPTION_NOT_DUE", message, "subscription_id");
    }
    const { subscription, events } = await endSubscription(query, accountId, current, { isDue: request.isOnlyIfDue });
    return subscriptionEffect(subscription, events);
  });
  return { subscription: nounOf(answer, "subscription"), isReplayed };
}

/** What an invoice has from the subscription whose period it bills, whatever a caller says of it. */
function billedPeriod(subscription: Subscription) {
  const { customerId, subscriptionId, periodIndex, periodStartTime, periodEndTime } = subscription;
  return {
    customerId,
    subscriptionId,
    periodIndex,
    ...(periodStartTime && { periodStartTime }),
    ...(periodEndTime && { periodEndTime }),
  };
}

function hasEnded({ state }: Subscription): boolean {
  return state === SubscriptionState.CANCELED || state === SubscriptionState.INCOMPLETE_EXPIRED;
}

function refuseEnded(subscription: Subscription): void {
  if (hasEnded(subscription)) {
    const message = `the subscription ${subscription.subscriptionId} has ended`;
    refuse(Code.FailedPrecondition, "SUBSCRIPTION_ENDED", message, "subscription_id");
  }
}

function subscriptionEffect(subscription: Subscription, events: readonly EventDraft[]): Effect {
  return { answer: snapshotOf("subscription", subscription), nounId: subscription.subscriptionId, events };
}
