import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { RenewSubscriptionRequest } from "../../gen/tripe/writer/v1/subscriptions_pb.ts";
import { assert } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { changed, tell, told } from "./event-drafts.ts";
import { insertInvoice, lockInvoice, requiredInvoice } from "./invoice-rows.ts";
import { lockSubscription, lockSubscriptionIfAny } from "./subscription-rows.ts";

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

/** A merchant's sandbox shows at once what a live account does after an hour, in which a draft may still be changed. */
const HOLD_LIVE_MS = 3_600_000;

/** Takes a subscription exactly one period further and drafts the invoice that bills it, in one commit; once a period. */
export async function renewSubscription({ database }: WriterDependencies, request: RenewSubscriptionRequest) {
  const { accountId, subscriptionId, periodIndex, periodStartTime, periodEndTime } = request;
  assert(periodStartTime !== undefined && periodEndTime !== undefined, "validation requires the period");
  const invoice = requiredInvoice(request.invoice);
  const isRenewed = await database.transaction(async (query) => {
    const before = await lockSubscriptionIfAny(query, { accountId, subscriptionId });
    if (before === undefined) return false;
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
    await tell(query, { accountId, customerId }, [
      ...changed("customer.subscription.updated", "subscription", { before, after: subscription }),
      told("invoice.created", "invoice", made),
    ]);
    return true;
  });
  return { isRenewed };
}
