import { Code } from "@connectrpc/connect";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type CustomerRow, customerColumns, customerOf } from "../_database/rows/customer.ts";
import { refuse } from "../_runtime/errors.ts";

const LOCK = {
  name: "lock_customer",
  text: `select ${customerColumns} from customer u join account a using (account_id)
    where u.account_id = $1 and u.customer_id = $2 for no key update of u`,
};

/** Reads a customer and holds it until the transaction ends. Refuses with NOT_FOUND, reason CUSTOMER_NOT_FOUND. */
export async function lockCustomer(query: Query, key: { accountId: string; customerId: string }): Promise<Customer> {
  const [row] = await query<CustomerRow>(LOCK, [key.accountId, key.customerId]);
  if (row === undefined) refuse(Code.NotFound, "CUSTOMER_NOT_FOUND", `no customer ${key.customerId}`, "customer_id");
  return customerOf(row);
}

/** Refuses with FAILED_PRECONDITION, reason CUSTOMER_DELETED, a customer that was deleted. */
export function refuseDeleted(customer: Customer): void {
  if (customer.deleteTime !== undefined) {
    refuse(
      Code.FailedPrecondition,
      "CUSTOMER_DELETED",
      `the customer ${customer.customerId} was deleted`,
      "customer_id",
    );
  }
}
