import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { assert, refusalOf } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import type { Jobs, NoticeMailJob } from "./jobs.ts";
import { fateOf } from "./mail-fate.ts";

/** What telling accounts stands on. */
export interface NoticeDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer">;
  readonly jobs: Pick<Jobs, "send">;
  readonly log: Log;
}

/** Endpoints are disabled one by one; some dozens a second catch up with whatever happened at once. */
const NOTICES_LIMIT = 50;

/**
 * Queues a mail to the account of each endpoint that Tripe has disabled, once: the job follows from the endpoint and the
 * moment. The queue backs off when the mail server does not take it, for days; the other mails go ahead.
 */
export async function noticeEndpoints({ clients, jobs, log }: NoticeDependencies): Promise<void> {
  const { endpoints } = await clients.reader.listUnnoticedEndpoints({ limit: NOTICES_LIMIT });
  const mails = endpoints.map(({ accountId, webhookEndpoint, disableTime }): NoticeMailJob => {
    assert(webhookEndpoint !== undefined && disableTime !== undefined, "a disabled endpoint has its time");
    const { webhookEndpointId } = webhookEndpoint;
    log.warn("an endpoint was disabled", { account_id: accountId, webhook_endpoint_id: webhookEndpointId });
    return { accountId, webhookEndpointId, disableMs: timestampMs(disableTime) };
  });
  await jobs.send(mails);
  await Promise.all(
    mails.map(({ accountId, webhookEndpointId }) =>
      clients.writer.markEndpointNoticed({ accountId, webhookEndpointId }),
    ),
  );
}

/**
 * Mails the notice of a disabled endpoint. An account without an address was told in the log, and an endpoint deleted since
 * is nobody's concern. Throws when the mail has to be tried again.
 */
export async function mailNotice(
  { reader, mailer }: Pick<SchedulerClients, "reader" | "mailer">,
  { accountId, webhookEndpointId, disableMs }: NoticeMailJob,
): Promise<void> {
  const [{ account: seller }, endpoint] = await Promise.all([
    reader.getAccount({ accountId }),
    reader.getWebhookEndpoint({ accountId, webhookEndpointId }).catch((error: unknown) => {
      if (refusalOf(error)?.code !== Code.NotFound) throw error;
    }),
  ]);
  assert(seller !== undefined, "an endpoint has an account");
  const webhookEndpoint = endpoint?.webhookEndpoint;
  if (seller.email === "" || webhookEndpoint === undefined) return;
  const requestId = `${webhookEndpointId}/disabled/${disableMs}`;
  const disableTime = timestampFromMs(disableMs);
  const mail = { accountId, requestId, seller, webhookEndpoint, disableTime, recipients: [seller.email] };
  const { deliveries } = await mailer.sendEndpointNotice(mail);
  if (fateOf(deliveries) === "postponed") throw new ConnectError("the mail server takes no mail now", Code.Unavailable);
}
