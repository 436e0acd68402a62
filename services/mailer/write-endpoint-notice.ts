import { DisableReason } from "../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import type { SendEndpointNoticeRequest } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { assert } from "../_runtime/errors.ts";
import type { Mail } from "./compose.ts";
import { dayOf, oneLine } from "./words.ts";

/** Writes to an account that one of its endpoints hears of nothing any more, and what to do about it. */
export function writeEndpointNotice({ seller, webhookEndpoint, disableTime }: SendEndpointNoticeRequest): Mail {
  assert(seller !== undefined && webhookEndpoint !== undefined, "a request is whole");
  const url = oneLine(webhookEndpoint.url);
  const isGone = webhookEndpoint.disableReason === DisableReason.GONE;
  const why = isGone
    ? "It answered an event with 410, which asks for no more."
    : "It has taken no event for three days, however often Tripe tried.";
  return {
    seller,
    time: disableTime,
    attachments: [],
    letter: {
      subject: "Your webhook endpoint was disabled",
      sender: oneLine(seller.name),
      headline: "Webhook endpoint disabled",
      paragraphs: [
        `Tripe sends no more events to ${url}. ${why}`,
        "Once the server answers with 2xx again, enable the endpoint, and have the events it missed sent again.",
      ],
      facts: [
        ["Endpoint", webhookEndpoint.webhookEndpointId],
        ["Disabled", dayOf(disableTime)],
      ],
      link: undefined,
      questionsTo: oneLine(seller.email),
    },
  };
}
