import type Stripe from "stripe";
import type { Charge } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { chargeView } from "../../../services/_views/charge.ts";
import { type ListView, listView } from "../../../services/_views/list.ts";
import { returnView } from "../../../services/_views/return.ts";
import type { Wire } from "../../../services/_views/wire.ts";
import type { PublicRequest } from "../../route.ts";

/** What of a charge can be shown whole. */
export const chargeExpandable = ["balance_transaction", "customer", "refunds"];

type RefundList = ListView<Wire<Stripe.Refund>>;

/** Shows a charge with what was asked to be whole; `known` are its returns, when they were read already. */
export async function showCharge(
  { accountId, clients, expand, reads }: PublicRequest,
  charge: Charge,
  known?: RefundList,
) {
  if (expand.size === 0) return chargeView(charge);
  const [customer, transfer, refunds] = await Promise.all([
    expand.has("customer") ? reads.customer(charge.customerId) : undefined,
    expand.has("balance_transaction") ? reads.ledgerTransfer(charge.ledgerTransferId) : undefined,
    known ?? (expand.has("refunds") ? listRefunds({ accountId, clients }, charge.chargeId) : undefined),
  ]);
  return chargeView(charge, { customer, balance_transaction: transfer, refunds });
}

// As many as Stripe shows inside another object.
const REFUNDS_MAX = 10;

/** Lists a charge's returns, as they stand inside the charge. */
export async function listRefunds(
  { accountId, clients }: Pick<PublicRequest, "accountId" | "clients">,
  chargeId: string,
): Promise<RefundList> {
  const page = await clients.reader.listReturns({ accountId, chargeId, pageSize: REFUNDS_MAX });
  const data = page.returns.map((record) => returnView(record));
  return listView({ url: `/v1/charges/${chargeId}/refunds`, data, hasMore: page.nextPageToken !== "" });
}
