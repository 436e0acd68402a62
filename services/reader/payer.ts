import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { GetPayerRequest } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type CustomerRow, customerColumns, customerOf } from "../_database/rows/customer.ts";
import {
  type PaymentMethodRow,
  paymentMethodColumns,
  paymentMethodOf,
  type TokenRow,
  tokenColumns,
  tokenOf,
} from "../_database/rows/payment-method.ts";

/** All of a payer in one statement: each part is one jsonb, for their columns share names. */
const GET = {
  name: "get_payer",
  text: `select
      (select to_jsonb(part) from (
        select ${customerColumns} from customer u join account a using (account_id)
        where u.account_id = $1 and u.customer_id = $2) part) as customer,
      (select to_jsonb(part) from (
        select ${paymentMethodColumns} from payment_method p join account a using (account_id)
        where p.account_id = $1 and p.payment_method_id = case
          when $4 <> '' then (select payment_method_id from token where account_id = $1 and token_id = $4)
          when $3 <> '' then $3
          else (select default_payment_method_id from customer where account_id = $1 and customer_id = $2) end
        ) part) as payment_method,
      (select to_jsonb(part) from (
        select ${tokenColumns} from token k join payment_method p using (account_id, payment_method_id)
        join account a using (account_id) where k.account_id = $1 and k.token_id = $4) part) as token,
      business_now($1, $2) as business_time`,
};

/** Times inside a jsonb come as text. */
type Part<Row> = { readonly [Name in keyof Row]: Row[Name] extends Date | null ? string | null : Row[Name] };

interface PayerRow {
  readonly customer: Part<CustomerRow> | null;
  readonly payment_method: Part<PaymentMethodRow> | null;
  readonly token: Part<TokenRow> | null;
  readonly business_time: Date;
}

/** Reads a payer, as far as it exists. */
export async function getPayer(query: Query, request: GetPayerRequest) {
  const { accountId, customerId, paymentMethodId, tokenId } = request;
  const [row] = await query<PayerRow>(GET, [accountId, customerId, paymentMethodId, tokenId]);
  if (row === undefined) throw new Error("a select without a from answers one row");
  return {
    ...(row.customer && { customer: customerOf(withDates<CustomerRow>(row.customer)) }),
    ...(row.payment_method && { paymentMethod: paymentMethodOf(withDates<PaymentMethodRow>(row.payment_method)) }),
    ...(row.token && { token: tokenOf(withDates<TokenRow>(row.token)) }),
    businessTime: timestampFromDate(row.business_time),
  };
}

/** A part as the row it was made of: the columns named …_time are dates again. */
function withDates<Row>(part: object): Row {
  const entries = Object.entries(part).map(([name, value]) =>
    name.endsWith("_time") && typeof value === "string" ? [name, new Date(value)] : [name, value],
  );
  return Object.fromEntries(entries) as Row;
}
