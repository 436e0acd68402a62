import { expand, group, integer, optional } from "../../decode/fields.ts";
import { cardDeclined } from "../../problems.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";
import { chargeExpandable, showCharge } from "./show-charge.ts";

/**
 * Takes what is held: transactions.CaptureCharge (writer.BeginCapture → bank.Submit → writer.SettleCapture). A capture that
 * the bank declines is a 402, and the charge is held as before.
 */
export const captureChargeRoute = defineRoute({
  method: "POST",
  path: "/v1/charges/:id/capture",
  operationId: "captureCharge",
  answers: "Charge",
  mayDecline: true,
  needsBank: true,
  summary: "Capture a charge that was made with capture=false, whole or in part; the rest is let go.",
  params: group({ amount: optional(integer({ minimum: 1 })), expand }),
  expandable: chargeExpandable,
  mentions: (given) => ({ charge: { id: given, param: "charge", isInPath: true } }),
  async run(request, { amount }) {
    const { accountId, clients, identity, id: chargeId } = request;
    const { charge, decline, isReplayed } = await clients.transactions.captureCharge({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      chargeId,
      amountMinor: BigInt(amount ?? 0),
    });
    if (decline !== undefined) return { body: cardDeclined(decline, chargeId), isReplayed };
    return { body: await showCharge(request, found(charge)), isReplayed };
  },
});
