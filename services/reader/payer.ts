import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { GetPayerRequest } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type CustomerRow, customerColumns, customerOf } from "../_database/rows/customer.ts";
import {
  type PaymentMethodRow,
  paymentMethodColumns,
  paymentMethodOf,
  type TokenRow,
  tokenOf,
} from "../_database/rows/payment-method.ts";
import { createReadBatcher } from "./read-batcher.ts";

/**
 * One row for each payer, in the order of the requests. A customer and a payment method have columns of the same name. pg
 * keeps the last of them, the customer's; the payment method's are selected once more under names of their own.
 */
const GET = {
  name: "get_payer",
  text: `select ${paymentMethodColumns}, p.customer_id as holder_id, p.metadata as card_metadata,
      p.create_time as card_create_time, ${customerColumns}, k.token_id, k.use_time, k.create_time as token_create_time,
      coalesce(t.business_time, business_now()) as business_time
    from unnest((select $1::text[]), (select $2::text[]), (select $3::text[]), (select $4::text[]))
      with ordinality as i(account_id, customer_id, payment_method_id, token_id, position)
    left join account a on a.account_id = i.account_id
    left join customer u on u.account_id = i.account_id and u.customer_id = i.customer_id
    left join test_clock t on t.account_id = u.account_id and t.test_clock_id = u.test_clock_id
    left join token k on k.account_id = i.account_id and k.token_id = i.token_id
    left join payment_method p on p.account_id = i.account_id and p.payment_method_id = case
      when i.token_id <> '' then k.payment_method_id
      when i.payment_method_id <> '' then i.payment_method_id
      else u.default_payment_method_id end
    order by i.position`,
};

/** What is not there has no id: its other columns are null too. */
interface PayerRow extends Omit<CustomerRow & TokenRow, "customer_id" | "payment_method_id" | "token_id"> {
  readonly customer_id: string | null;
  readonly payment_method_id: string | null;
  readonly token_id: string | null;
  readonly holder_id: string | null;
  readonly card_metadata: Record<string, string>;
  readonly card_create_time: Date;
  readonly business_time: Date;
}

/** Creates a reader of payers, each as far as it exists: requests that arrive together share a statement. */
export function createGetPayer(query: Query) {
  const load = createReadBatcher<GetPayerRequest, PayerRow>((requests) =>
    query<PayerRow>(GET, [
      requests.map(({ accountId }) => accountId),
      requests.map(({ customerId }) => customerId),
      requests.map(({ paymentMethodId }) => paymentMethodId),
      requests.map(({ tokenId }) => tokenId),
    ]),
  );
  return async (request: GetPayerRequest) => payerOf(await load(request));
}

function payerOf(row: PayerRow) {
  const { customer_id, token_id } = row;
  const card = cardRowOf(row);
  return {
    ...(customer_id !== null && { customer: customerOf({ ...row, customer_id }) }),
    ...(card && { paymentMethod: paymentMethodOf(card) }),
    ...(card && token_id !== null && { token: tokenOf({ ...card, token_id }) }),
    businessTime: timestampFromDate(row.business_time),
  };
}

/** The payment method's part of a row, under the names of its columns; undefined when there is no payment method. */
function cardRowOf(row: PayerRow): (PayerRow & PaymentMethodRow) | undefined {
  const { payment_method_id, holder_id: customer_id, card_metadata: metadata, card_create_time: create_time } = row;
  return payment_method_id === null ? undefined : { ...row, payment_method_id, customer_id, metadata, create_time };
}
