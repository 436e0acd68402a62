import type Stripe from "stripe";
import type { Token } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { sourceView } from "./card.ts";
import { secondsOf } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** Shows a token with its card. Tripe keeps no addresses of visitors, so `client_ip` is null. */
export function tokenView(token: Token): Wire<Stripe.Token> {
  const { paymentMethod } = token;
  assert(paymentMethod !== undefined, "a token has a payment method");
  return {
    id: token.tokenId,
    object: "token",
    card: sourceView(paymentMethod),
    client_ip: null,
    created: secondsOf(token.createTime),
    livemode: paymentMethod.isLive,
    type: "card",
    used: token.useTime !== undefined,
  };
}
