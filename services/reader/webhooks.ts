import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import {
  type WebhookEndpointRow,
  webhookEndpointColumns,
  webhookEndpointOf,
} from "../_database/rows/webhook-endpoint.ts";
import { countDeliveries, countPendingDeliveries, createGetDelivery, listUnqueuedDeliveries } from "./deliveries.ts";
import { listEventDeliveries } from "./event-deliveries.ts";
import { findWebhookEndpoint } from "./findings.ts";
import { list } from "./list.ts";
import { webhookEndpoints } from "./listings.ts";
import { createOne } from "./one.ts";
import { getOriginalRequest } from "./requests.ts";

const UNNOTICED = {
  name: "list_unnoticed_endpoints",
  text: `select w.account_id, w.disable_time, ${webhookEndpointColumns} from webhook_endpoint w join account a using (account_id)
    where w.disable_reason in ('gone', 'failing', 'refused') and w.notice_time is null and w.delete_time is null
    order by w.disable_time limit $1`,
};

/** Reads endpoints and what is on its way to them. */
export function readWebhooks(query: Query) {
  const getWebhookEndpoint = createOne(query, findWebhookEndpoint, webhookEndpointOf);
  const getDelivery = createGetDelivery(query);
  return {
    getWebhookEndpoint: async ({ accountId, webhookEndpointId: id }) => ({
      webhookEndpoint: await getWebhookEndpoint({ accountId, id }),
    }),
    listWebhookEndpoints: async (request) => {
      const filters = [{ column: "delete_time", operator: "is", value: null } as const];
      const { nouns, ...page } = await list(query, webhookEndpoints, request, filters, webhookEndpointOf);
      return { webhookEndpoints: nouns, ...page };
    },
    listUnnoticedEndpoints: async ({ limit }) => {
      const rows = await query<WebhookEndpointRow & { account_id: string; disable_time: Date }>(UNNOTICED, [limit]);
      const endpoints = rows.map((row) => ({
        accountId: row.account_id,
        webhookEndpoint: webhookEndpointOf(row),
        disableTime: timestampFromDate(row.disable_time),
      }));
      return { endpoints };
    },
    getDelivery: (request) => getDelivery(request),
    listUnqueuedDeliveries: (request) => listUnqueuedDeliveries(query, request),
    getOriginalRequest: (request) => getOriginalRequest(query, request),
    listEventDeliveries: (request) => listEventDeliveries(query, request),
    countPendingDeliveries: (request) => countPendingDeliveries(query, request),
    countDeliveries: () => countDeliveries(query),
  } satisfies Partial<ServiceImpl<typeof ReaderService>>;
}
