import { Code } from "@connectrpc/connect";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";

const SET_DEFAULT = {
  name: "set_default_payment_method",
  text: `update customer set default_payment_method_id = $3, is_default_from_source = $4
    where account_id = $1 and customer_id = $2`,
};

/** Makes an attached payment method the customer's default. Refuses one that is not attached to it. */
export async function setDefault(
  query: Query,
  to: { accountId: string; customerId: string; defaultId: string; isFromSource: boolean },
): Promise<void> {
  await requireAttached(query, { ...to, paymentMethodId: to.defaultId });
  await query(SET_DEFAULT, [to.accountId, to.customerId, to.defaultId, to.isFromSource]);
}

const IS_ATTACHED = {
  name: "is_attached",
  text: `select 1 from payment_method where account_id = $1 and customer_id = $2 and payment_method_id = $3 for share`,
};

/** Refuses with PAYMENT_METHOD_NOT_ATTACHED a payment method that is not the customer's; an empty id is none and passes. */
export async function requireAttached(
  query: Query,
  { accountId, customerId, paymentMethodId }: { accountId: string; customerId: string; paymentMethodId: string },
): Promise<void> {
  if (paymentMethodId === "") return;
  const rows = await query(IS_ATTACHED, [accountId, customerId, paymentMethodId]);
  if (rows.length === 0) {
    const message = `the payment method ${paymentMethodId} is not attached to the customer ${customerId}`;
    refuse(Code.FailedPrecondition, "PAYMENT_METHOD_NOT_ATTACHED", message, "default_payment_method_id");
  }
}
