import type Stripe from "stripe";
import { type Charge, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Decline } from "../../gen/tripe/billing/v1/decline_pb.ts";
import { declineView } from "./decline.ts";
import { textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/**
 * Shows what came of asking the bank; null while the final answer is not known. Banks give Tripe no advice on how to go
 * on, and Tripe scores no risk: advice is null and the risk level "normal".
 */
export function outcomeView(charge: Charge): Wire<Stripe.Charge.Outcome> | null {
  if (charge.state === ChargeState.PENDING) return null;
  return {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: textOrNull(charge.decline?.responseCode ?? ""),
    ...resultOf(charge),
  };
}

type Result = Pick<Wire<Stripe.Charge.Outcome>, "network_status" | "reason" | "risk_level" | "seller_message" | "type">;

function resultOf({ state, decline }: Charge): Result {
  if (state === ChargeState.SUCCEEDED) return result("approved_by_network", null, "Payment complete.", "authorized");
  if (decline !== undefined && decline.responseCode !== "") return declinedResult(decline);
  return result("not_sent_to_network", decline?.reason ?? null, "No bank answered for this card.", "invalid");
}

function declinedResult(decline: Decline): Result {
  const { code, decline_code } = declineView(decline);
  const reason = decline_code ?? code;
  const message =
    reason === "generic_decline"
      ? "The bank did not return any further details with this decline."
      : `The bank returned the decline code \`${reason}\`.`;
  return result("declined_by_network", reason, message, "issuer_declined");
}

function result(networkStatus: string, reason: string | null, sellerMessage: string, type: string): Result {
  return { network_status: networkStatus, reason, risk_level: "normal", seller_message: sellerMessage, type };
}
