import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { RenewSubscriptionRequest } from "../../gen/tripe/writer/v1/subscriptions_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { insertInvoice, lockInvoice, requiredInvoice } from "./invoice-rows.ts";
import { snapshotOf } from "./snapshots.ts";
import { lockSubscription } from "./subscription-rows.ts";

/** One period further, from the one before: a second renewal of the same period finds no row. */
const RENEW = {
  name: "renew_subscription",
  text: `update subscription set revision = revision + 1, period_index = $3, period_start_time = $4, period_end_time = $5,
      renew_time = $5, lease_end_time = null, latest_invoice_id = $6,
      state = case state when 'trialing' then 'active' else state end
    where account_id = $1 and subscription_id = $2 and period_index = $3 - 1 and period_end_time = $4
      and state in ('trialing', 'active', 'past_due', 'unpaid') and not is_ending_with_period
    returning customer_id`,
};

const TELL = {
  name: "tell_of_renewal",
  text: `insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time)
    select $1, e.event_id, e.type, e.object_id, e.snapshot, '', '', business_now($1, $2)
    from unnest($3::text[], $4::text[], $5::text[], $6::bytea[]) as e(event_id, type, object_id, snapshot)`,
};

/** A merchant's sandbox shows at once what a live account does after an hour, in which a draft may still be changed. */
const HOLD_LIVE_MS = 3_600_000;

/** Takes a subscription exactly one period further and drafts the invoice that bills it, in one commit; once a period. */
export async function renewSubscription({ database }: WriterDependencies, request: RenewSubscriptionRequest) {
  const { accountId, subscriptionId, periodIndex, periodStartTime, periodEndTime } = request;
  assert(periodStartTime !== undefined && periodEndTime !== undefined, "validation requires the period");
  const invoice = requiredInvoice(request.invoice);
  const isRenewed = await database.transaction(async (query) => {
    const [row] = await query<{ customer_id: string }>(RENEW, [
      accountId,
      subscriptionId,
      periodIndex,
      timestampDate(periodStartTime),
      timestampDate(periodEndTime),
      invoice.invoiceId,
    ]);
    if (row === undefined) return false;
    const subscription = await lockSubscription(query, { accountId, subscriptionId });
    const { customerId } = subscription;
    const draft = { ...invoice, customerId, subscriptionId, periodIndex, periodStartTime, periodEndTime };
    await insertInvoice(query, { accountId, invoice: draft, holdMs: subscription.isLive ? HOLD_LIVE_MS : 0 });
    const made = await lockInvoice(query, { accountId, invoiceId: invoice.invoiceId });
    await query(TELL, [
      accountId,
      row.customer_id,
      [createId("evt_"), createId("evt_")],
      ["customer.subscription.updated", "invoice.created"],
      [subscriptionId, invoice.invoiceId],
      [snapshotBytes(snapshotOf("subscription", subscription)), snapshotBytes(snapshotOf("invoice", made))],
    ]);
    return true;
  });
  return { isRenewed };
}
