import { clone } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Customer, CustomerSchema } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { changed, type EventDraft } from "./event-drafts.ts";

const SET = {
  name: "set_customer_currency",
  text: "update customer set currency_code = $3 where account_id = $1 and customer_id = $2",
};

const OTHER = {
  name: "live_subscription_in_other_currency",
  text: `select currency_code from subscription
    where account_id = $1 and customer_id = $2 and end_time is null and currency_code <> $3 limit 1`,
};

/**
 * Gives a customer its currency with the first subscription, invoice or invoice item, and says so: Stripe sends
 * customer.updated then (github.com/stripe/stripe-python/issues/933). Later ones change nothing. The caller holds the row.
 */
export async function giveCurrency(
  query: Query,
  { accountId, customer, currencyCode }: { accountId: string; customer: Customer; currencyCode: string },
): Promise<EventDraft[]> {
  if (customer.currencyCode !== "") return [];
  await query(SET, [accountId, customer.customerId, currencyCode]);
  const after = clone(CustomerSchema, customer);
  after.currencyCode = currencyCode;
  return changed("customer.updated", "customer", { before: customer, after });
}

/**
 * Refuses with CURRENCIES_MIXED a subscription in another currency than one of the customer's that has not ended. The caller
 * holds the customer's row, so that of two at once one sees the other.
 */
export async function refuseOtherCurrency(
  query: Query,
  { accountId, customerId, currencyCode }: { accountId: string; customerId: string; currencyCode: string },
): Promise<void> {
  const [other] = await query<{ currency_code: string }>(OTHER, [accountId, customerId, currencyCode]);
  if (other === undefined) return;
  const message = `the customer ${customerId} has a subscription in ${other.currency_code}, which has not ended`;
  refuse(Code.FailedPrecondition, "CURRENCIES_MIXED", message, "subscription.currency_code");
}
