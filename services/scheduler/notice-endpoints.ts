import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { UnnoticedEndpoint } from "../../gen/tripe/reader/v1/webhook_endpoints_pb.ts";
import type { Clients } from "../_runtime/clients.ts";
import { assert } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { fateOf } from "./mail-fate.ts";

/** What telling accounts stands on. */
export interface NoticeDependencies {
  readonly clients: Pick<Clients, "reader" | "writer" | "mailer">;
  readonly log: Log;
}

/** Endpoints are disabled one by one; a few a second catch up with whatever happened at once. */
const NOTICES_LIMIT = 5;

/**
 * Mails the account of each endpoint that Tripe has disabled, once: the mail's key follows from the endpoint and the moment.
 * An account without an address is told in the log alone.
 */
export async function noticeEndpoints({ clients, log }: NoticeDependencies): Promise<void> {
  const { endpoints } = await clients.reader.listUnnoticedEndpoints({ limit: NOTICES_LIMIT });
  await Promise.all(endpoints.map((endpoint) => noticeOne({ clients, log }, endpoint)));
}

async function noticeOne({ clients, log }: NoticeDependencies, unnoticed: UnnoticedEndpoint): Promise<void> {
  const { accountId, webhookEndpoint, disableTime } = unnoticed;
  assert(webhookEndpoint !== undefined && disableTime !== undefined, "a disabled endpoint has its time");
  const { webhookEndpointId } = webhookEndpoint;
  const { account: seller } = await clients.reader.getAccount({ accountId });
  assert(seller !== undefined, "an endpoint has an account");
  log.warn("an endpoint was disabled", { account_id: accountId, webhook_endpoint_id: webhookEndpointId });
  if (seller.email !== "") {
    const requestId = `${webhookEndpointId}/disabled/${timestampMs(disableTime)}`;
    const mail = { accountId, requestId, seller, webhookEndpoint, disableTime, recipients: [seller.email] };
    const { deliveries } = await clients.mailer.sendEndpointNotice(mail);
    if (fateOf(deliveries) === "postponed") return;
  }
  await clients.writer.markEndpointNoticed({ accountId, webhookEndpointId });
}
