import { type Delivery, DeliveryState } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";

/** What is left to do for a mail: nothing, since it went out; later again; or nothing, since nobody will ever take it. */
export type MailFate = "sent" | "postponed" | "failed";

/** Says what became of a mail as a whole. One that may have been taken counts as sent: better one mail than two. */
export function fateOf(deliveries: readonly Delivery[]): MailFate {
  const states = new Set(deliveries.map(({ state }) => state));
  if (states.has(DeliveryState.ACCEPTED) || states.has(DeliveryState.UNKNOWN)) return "sent";
  return states.has(DeliveryState.FAILED) && !states.has(DeliveryState.POSTPONED) ? "failed" : "postponed";
}
