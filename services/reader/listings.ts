import { chargeColumns, chargeJoins } from "../_database/rows/charge.ts";
import { customerColumns } from "../_database/rows/customer.ts";
import { paymentMethodColumns } from "../_database/rows/payment-method.ts";
import { returnColumns } from "../_database/rows/return.ts";
import type { Listing } from "./page.ts";

const account = (alias: string) => `join account a on a.account_id = ${alias}.account_id`;

/** Customers, newest first. */
export const customers: Listing = {
  name: "customers",
  select: `select ${customerColumns} from customer u ${account("u")}`,
  table: "customer",
  alias: "u",
  key: "customer_id",
};

/** Payment methods attached to a customer, newest first. */
export const paymentMethods: Listing = {
  name: "payment_methods",
  select: `select ${paymentMethodColumns} from payment_method p ${account("p")}`,
  table: "payment_method",
  alias: "p",
  key: "payment_method_id",
};

/** Charges, newest first. */
export const charges: Listing = {
  name: "charges",
  select: `select ${chargeColumns} from charge c ${chargeJoins}`,
  table: "charge",
  alias: "c",
  key: "charge_id",
};

/** Returns, newest first. */
export const returns: Listing = {
  name: "returns",
  select: `select ${returnColumns} from charge_return r ${account("r")}`,
  table: "charge_return",
  alias: "r",
  key: "return_id",
};
