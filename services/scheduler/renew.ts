import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { InvoiceItem } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { type Subscription, SubscriptionState } from "../../gen/tripe/billing/v1/subscription_pb.ts";
import type { DueSubscription } from "../../gen/tripe/writer/v1/subscriptions_pb.ts";
import { periodOf } from "../_billing/periods.ts";
import type { Clock } from "../_runtime/clock.ts";
import { assert, refusalOf } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import { type BilledPeriod, renewalInvoice, unitName } from "./renewal-invoice.ts";
import type { SweepRun } from "./sweep.ts";
import { workThrough } from "./work-through.ts";

/** What renewing stands on. */
export interface RenewDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What 16 lanes renew well within a lease, and what fits into a message with all its metadata (limits.ts). */
export const RENEWALS_LIMIT = 100;

/** A renewal is two short calls: 16 at once keep two cores busy without a queue at the writer. */
const LANES_COUNT = 16;

/** Two subscriptions of one customer may want one invoice item at the same moment: the later looks again, so often. */
const TRIES_MAX = 3;

/** A page of the reader's lists; ten of them fill an invoice (1,000 lines) with what its subscription bills. */
const PAGE_SIZE = 100;
const PAGES_MAX = 9;

/**
 * Takes every due subscription exactly one period further, or ends it: one whose first invoice was not paid in time, and
 * one that ends with its period. Who was renewed may be behind by more than one period, so another round follows at once.
 */
export async function renewDue(dependencies: RenewDependencies): Promise<SweepRun> {
  const { clients, clock, log } = dependencies;
  const { subscriptions } = await clients.writer.leaseRenewals({ limit: RENEWALS_LIMIT });
  let renewedCount = 0;
  const work = async ({ accountId, subscription }: DueSubscription) => {
    assert(subscription !== undefined, "a subscription that is due is there");
    if (subscription.state === SubscriptionState.INCOMPLETE || subscription.isEndingWithPeriod) {
      return endSubscription(dependencies, accountId, subscription);
    }
    const isRenewed = await renew(dependencies, accountId, subscription);
    if (isRenewed) renewedCount += 1;
    return isRenewed;
  };
  const rows = { rows: subscriptions, work, lanesCount: LANES_COUNT, name: "subscriptions" };
  return { ...(await workThrough({ ...rows, clock, log })), hasMore: renewedCount > 0 };
}

/**
 * Why one that was due is not ended now: its first payment is at the bank and decides, or somebody has let it go on. It is
 * looked at again when its lease is over.
 */
const LATER = new Set(["INVOICE_PAYMENT_PENDING", "SUBSCRIPTION_NOT_DUE"]);

/** Ends one that is still to end; says whether it has ended. */
async function endSubscription(
  { clients }: RenewDependencies,
  accountId: string,
  { subscriptionId }: Subscription,
): Promise<boolean> {
  const key = { accountId, requestId: `${subscriptionId}/end`, subscriptionId };
  try {
    await clients.writer.cancelSubscription({ ...key, isOnlyIfDue: true });
  } catch (error) {
    const reason = refusalOf(error)?.reason ?? "";
    if (LATER.has(reason)) return false;
    // Somebody else ended it.
    if (reason !== "SUBSCRIPTION_ENDED") throw error;
  }
  return true;
}

async function renew(dependencies: RenewDependencies, accountId: string, subscription: Subscription): Promise<boolean> {
  const { subscriptionId } = subscription;
  const period = nextPeriod(subscription);
  for (let tries = 1; ; tries += 1) {
    const items = await pendingItems(dependencies, accountId, subscription);
    const invoice = renewalInvoice(subscription, period, items);
    const requestId = `${subscriptionId}/${period.periodIndex}`;
    try {
      const renewal = { accountId, requestId, subscriptionId, ...period, invoice };
      return (await dependencies.clients.writer.renewSubscription(renewal)).isRenewed;
    } catch (error) {
      const isTaken = refusalOf(error)?.code === Code.Aborted && refusalOf(error)?.reason === "INVOICE_ITEM_TAKEN";
      if (!isTaken || tries >= TRIES_MAX) throw error;
    }
  }
}

/** The period after the one that has ended; the trial is period -1, and its end the anchor. */
function nextPeriod({ anchorTime, periodIndex, periodEndTime, items }: Subscription): BilledPeriod {
  const recurrence = items[0]?.price?.recurrence;
  assert(anchorTime && periodEndTime && recurrence, "a subscription has an anchor, a period and prices that repeat");
  const interval = { unit: unitName(recurrence.unit), count: recurrence.count };
  const { end } = periodOf(timestampDate(anchorTime), interval, periodIndex + 1);
  return { periodIndex: periodIndex + 1, periodStartTime: periodEndTime, periodEndTime: timestampFromDate(end) };
}

/** What the customer owes in the subscription's currency and no invoice has taken, the oldest first. */
async function pendingItems(
  { clients }: RenewDependencies,
  accountId: string,
  { customerId, currencyCode }: Subscription,
): Promise<InvoiceItem[]> {
  const items: InvoiceItem[] = [];
  let pageToken = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const asked = { accountId, customerId, isPending: true, pageSize: PAGE_SIZE, pageToken };
    const { invoiceItems, nextPageToken } = await clients.reader.listInvoiceItems(asked);
    items.push(...invoiceItems.filter((item) => item.currencyCode === currencyCode));
    pageToken = nextPageToken;
    if (pageToken === "") break;
  }
  return items.reverse();
}
