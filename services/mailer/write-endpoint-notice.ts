import { DisableReason } from "../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import type { SendEndpointNoticeRequest } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { assert } from "../_runtime/errors.ts";
import type { Mail } from "./compose.ts";
import { dayOf, oneLine } from "./words.ts";

/** Writes to an account that one of its endpoints hears of nothing any more, and what to do about it. */
export function writeEndpointNotice({ seller, webhookEndpoint, disableTime }: SendEndpointNoticeRequest): Mail {
  assert(seller !== undefined && webhookEndpoint !== undefined, "a request is whole");
  const url = oneLine(webhookEndpoint.url);
  const { why, remedy } = explain(webhookEndpoint.disableReason);
  return {
    seller,
    time: disableTime,
    attachments: [],
    letter: {
      subject: "Your webhook endpoint was disabled",
      sender: oneLine(seller.name),
      headline: "Webhook endpoint disabled",
      paragraphs: [`Tripe sends no more events to ${url}. ${why}`, remedy],
      facts: [
        ["Endpoint", webhookEndpoint.webhookEndpointId],
        ["Disabled", dayOf(disableTime)],
      ],
      link: undefined,
      questionsTo: oneLine(seller.email),
    },
  };
}

function explain(reason: DisableReason): { why: string; remedy: string } {
  const remedy =
    "Once the server answers with 2xx again, enable the endpoint: it is sent what it missed of the last three days.";
  if (reason === DisableReason.GONE) return { why: "It answered an event with 410, which asks for no more.", remedy };
  if (reason === DisableReason.REFUSED) {
    return {
      why: "Its address is not public, or leads to Tripe itself: Tripe does not call it.",
      remedy:
        "Give the endpoint an address that can be called and enable it: it is sent what it missed of the last three days.",
    };
  }
  return { why: "It has taken no event for three days, however often Tripe tried.", remedy };
}
