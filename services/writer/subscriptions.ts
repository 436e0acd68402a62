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
import { lockCustomer, refuseDeleted } from "./customer-lock.ts";
import { requireAttached } from "./default-payment-method.ts";
import { finalize, finalizeEvents } from "./finalize-invoice.ts";
import { insertInvoice, lockInvoice, requiredInvoice } from "./invoice-rows.ts";
import { invoiceEffect } from "./invoices.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, type EventDraft, once } from "./once.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";
import { insertSubscription, lockSubscription } from "./subscription-rows.ts";

const UPDATE = {
  name: "update_subscription",
  text: `update subscription set revision = revision + 1, description = $3, metadata = $4,
      default_payment_method_id = $5, collection_method = $6, days_until_due = $7, is_ending_with_period = $8,
      cancel_time = case when $8 then coalesce(cancel_time, business_now($1, customer_id)) end
    where account_id = $1 and subscription_id = $2`,
};

/** What is still owed stays owed; only a first invoice that was never paid is taken back with its subscription. */
const CANCEL = {
  name: "cancel_subscription",
  text: `with ended as (
      update subscription set revision = revision + 1, renew_time = null, lease_end_time = null,
        state = case state when 'incomplete' then 'incomplete_expired' else 'canceled' end,
        cancel_time = coalesce(cancel_time, business_now($1, customer_id)), end_time = business_now($1, customer_id)
      where account_id = $1 and subscription_id = $2
      returning state, end_time
    )
    update invoice n set revision = n.revision + 1, is_auto_advancing = false, next_attempt_time = null,
      state = case when e.state = 'incomplete_expired' and n.state = 'open' then 'void' else n.state end,
      void_time = case when e.state = 'incomplete_expired' and n.state = 'open' then e.end_time else n.void_time end
    from ended e
    where n.account_id = $1 and n.subscription_id = $2 and n.state in ('draft', 'open')
      and not exists (select from invoice_payment y
        where y.account_id = n.account_id and y.invoice_id = n.invoice_id and y.state = 'open')
    returning n.invoice_id, n.state`,
};

/**
 * Invoices before their subscription, as whoever settles a payment locks them; and before CANCEL takes its snapshot, so that it
 * sees each payment that was begun.
 */
const LOCK_INVOICES = {
  name: "lock_invoices_of_subscription",
  text: `select 1 from invoice where account_id = $1 and subscription_id = $2 and state in ('draft', 'open')
    order by invoice_id for no key update`,
};

const PAYMENT_OPEN = {
  name: "is_payment_of_subscription_open",
  text: `select 1 from invoice n
    join invoice_payment y on y.account_id = n.account_id and y.invoice_id = n.invoice_id and y.state = 'open'
    where n.account_id = $1 and n.subscription_id = $2 limit 1`,
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

/** Makes a subscription with its first invoice, finalized, in one commit. Refuses a customer that is not there or deleted. */
export async function createSubscription(dependencies: WriterDependencies, request: CreateSubscriptionRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, subscription } = request;
    assert(subscription !== undefined, "validation requires the subscription");
    const { customerId, subscriptionId, defaultPaymentMethodId } = subscription;
    const invoice = { ...requiredInvoice(request.invoice), ...billedPeriod(subscription) };
    refuseDeleted(await lockCustomer(query, { accountId, customerId }));
    await requireAttached(query, { accountId, customerId, paymentMethodId: defaultPaymentMethodId });
    await insertSubscription(query, { accountId, subscription, invoiceId: invoice.invoiceId });
    await insertInvoice(query, { accountId, invoice, holdMs: 0 });
    const finalized = await finalize(query, { accountId, invoiceId: invoice.invoiceId });
    const effect = subscriptionEffect(
      await lockSubscription(query, { accountId, subscriptionId }),
      "customer.subscription.created",
    );
    const told = invoiceEffect(finalized, "invoice.created", ...finalizeEvents(finalized));
    return { ...effect, events: [...effect.events, ...told.events] };
  });
  return { subscription: nounOf(answer, "subscription"), isReplayed };
}

/** Changes a subscription that has not ended. Refuses SUBSCRIPTION_NOT_FOUND and SUBSCRIPTION_ENDED. */
export async function updateSubscription(dependencies: WriterDependencies, request: UpdateSubscriptionRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, subscription: change } = request;
    assert(change !== undefined, "validation requires the subscription");
    const key = { accountId, subscriptionId: change.subscriptionId };
    const current = await lockSubscription(query, key);
    refuseEnded(current);
    const next = applyMask(current, change, request.updateMask?.paths ?? [], UPDATABLE);
    const { customerId, defaultPaymentMethodId } = next;
    await requireAttached(query, { accountId, customerId, paymentMethodId: defaultPaymentMethodId });
    await query(UPDATE, [
      accountId,
      change.subscriptionId,
      next.description,
      JSON.stringify(patchMetadata(current.metadata, request.metadataPatch)),
      nullIfEmpty(defaultPaymentMethodId),
      collectionMethods.word(next.collectionMethod),
      next.daysUntilDue,
      next.isEndingWithPeriod,
    ]);
    return subscriptionEffect(await lockSubscription(query, key), "customer.subscription.updated");
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
    const values = [key.accountId, key.subscriptionId];
    await query(LOCK_INVOICES, values);
    const current = await lockSubscription(query, key);
    refuseEnded(current);
    if (request.isOnlyIfDue && (await query(IS_DUE, values)).length === 0) {
      const message = `the subscription ${key.subscriptionId} goes on`;
      refuse(Code.FailedPrecondition, "SUBSCRIPTION_NOT_DUE", message, "subscription_id");
    }
    if (current.state === SubscriptionState.INCOMPLETE && (await query(PAYMENT_OPEN, values)).length > 0) {
      const message = `the first payment of the subscription ${key.subscriptionId} is under way`;
      refuse(Code.FailedPrecondition, "INVOICE_PAYMENT_PENDING", message, "subscription_id");
    }
    const closed = await query<{ invoice_id: string; state: string }>(CANCEL, values);
    const effect = subscriptionEffect(await lockSubscription(query, key), "customer.subscription.deleted");
    for (const { invoice_id: invoiceId, state } of closed) {
      if (state !== "void") continue;
      const told = invoiceEffect(await lockInvoice(query, { accountId: key.accountId, invoiceId }), "invoice.voided");
      effect.events.push(...told.events);
    }
    return effect;
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

function refuseEnded({ subscriptionId, state }: Subscription): void {
  if (state === SubscriptionState.CANCELED || state === SubscriptionState.INCOMPLETE_EXPIRED) {
    const message = `the subscription ${subscriptionId} has ended`;
    refuse(Code.FailedPrecondition, "SUBSCRIPTION_ENDED", message, "subscription_id");
  }
}

function subscriptionEffect(subscription: Subscription, type: string): Effect & { events: EventDraft[] } {
  const snapshot = snapshotOf("subscription", subscription);
  const nounId = subscription.subscriptionId;
  return { answer: snapshot, nounId, events: [{ type, objectId: nounId, snapshot }] };
}
