import type { Charge } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import type { Return } from "../../../gen/tripe/billing/v1/return_pb.ts";
import { listView } from "../../../services/_views/list.ts";
import { returnView } from "../../../services/_views/return.ts";
import { choice, created, expand, group, id, integer, metadata, optional, paging } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataOf } from "../../messages.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { checkStep } from "../charges/amount.ts";

const expandable = ["balance_transaction", "charge"];

// Each route exists under Stripe's name and under Tripe's own: the same handlers, the same JSON.
const createRoute = defineRoute({
  method: "POST",
  path: "/v1/refunds",
  operationId: "createRefund",
  answers: "Refund",
  needsBank: true,
  aliases: [{ path: "/v1/returns", operationId: "createReturn" }],
  summary: "Give money of a charge back: reader.GetCharge → transactions.CreateReturn.",
  params: group({
    charge: id,
    amount: optional(integer({ minimum: 1 })),
    reason: optional(choice(["duplicate", "fraudulent", "requested_by_customer"])),
    metadata,
    expand,
  }),
  expandable,
  // Stripe looks a refund's charge up as if its id stood in the path.
  mentions: (_, { charge }) => ({ charge: { id: charge, param: "id" } }),
  async run(request, { amount, charge: chargeId, reason = "", metadata: given }) {
    const { accountId, clients, identity } = request;
    // Read apart from what an answer may show whole: that must be the charge as it is after the return.
    const { charge } = await clients.reader.getCharge({ accountId, chargeId });
    checkPart(amount, found(charge));
    const { return: record, isReplayed } = await clients.transactions.createReturn({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      chargeId,
      amountMinor: BigInt(amount ?? 0),
      reason,
      metadata: metadataOf(given),
    });
    return { body: await showReturn(request, found(record)), isReplayed };
  },
  replay: replayOf("return", showReturn),
});

// All that is left may be given back, whatever it is: it was taken when the currency had another step.
function checkPart(amount: number | undefined, { amount: taken, capturedMinor, returnedMinor }: Charge): void {
  if (amount === undefined || BigInt(amount) === capturedMinor - returnedMinor) return;
  checkStep(amount, taken?.currencyCode ?? "");
}

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/refunds/:id",
  operationId: "retrieveRefund",
  answers: "Refund",
  aliases: [{ path: "/v1/returns/:id", operationId: "retrieveReturn" }],
  summary: "Retrieve a return.",
  params: group({ expand }),
  expandable,
  mentions: (given) => ({ return: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, id: returnId } = request;
    const { return: record } = await clients.reader.getReturn({ accountId, returnId });
    return { body: await showReturn(request, found(record)) };
  },
});

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/refunds",
  operationId: "listRefunds",
  answers: "Refund",
  aliases: [{ path: "/v1/returns", operationId: "listReturns" }],
  summary: "List returns, newest first.",
  params: group({ charge: optional(id), created, ...paging }),
  expandable,
  isList: true,
  mentions: (_, given) => mentions({ charge: mention(given.charge, "charge"), return: cursorMention(given) }),
  async run(request, given) {
    const { accountId, clients, reads } = request;
    const { charge: chargeId = "" } = given;
    // The charge is read beside: no returns and no such charge are different answers.
    const [page] = await Promise.all([
      clients.reader.listReturns({ accountId, chargeId, ...pageRequestOf(given) }),
      reads.charge(chargeId),
    ]);
    const data = await Promise.all(page.returns.map((record) => showReturn(request, record)));
    return { body: listView({ url: "/v1/refunds", data, hasMore: page.nextPageToken !== "" }) };
  },
});

async function showReturn({ expand: wanted, reads }: PublicRequest, record: Return) {
  const [charge, transfer] = await Promise.all([
    wanted.has("charge") ? reads.charge(record.chargeId) : undefined,
    wanted.has("balance_transaction") ? reads.ledgerTransfer(record.ledgerTransferId) : undefined,
  ]);
  return returnView(record, { charge, balance_transaction: transfer });
}

/** The routes of returns, which the public API also calls refunds. */
export const returnRoutes = [createRoute, retrieveRoute, listRoute];
