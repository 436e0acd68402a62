import type { ServiceImpl } from "@connectrpc/connect";
import type { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Query } from "../_database/connect.ts";
import { webhookEndpointOf } from "../_database/rows/webhook-endpoint.ts";
import { findDueWork } from "./due-work.ts";
import { countPendingDeliveries, listEventDeliveries } from "./event-deliveries.ts";
import { findWebhookEndpoint } from "./findings.ts";
import { list } from "./list.ts";
import { webhookEndpoints } from "./listings.ts";
import { createOne } from "./one.ts";
import { countPostponedWork, getOldestDue, listDeadWork } from "./postponed-work.ts";
import { getOriginalRequest } from "./requests.ts";

/** Reads endpoints and what is on its way to them. */
export function readWebhooks(query: Query) {
  const getWebhookEndpoint = createOne(query, findWebhookEndpoint, webhookEndpointOf);
  return {
    getWebhookEndpoint: async ({ accountId, webhookEndpointId: id }) => ({
      webhookEndpoint: await getWebhookEndpoint({ accountId, id }),
    }),
    listWebhookEndpoints: async (request) => {
      const filters = [{ column: "delete_time", operator: "is", value: null } as const];
      const { nouns, ...page } = await list(query, webhookEndpoints, request, filters, webhookEndpointOf);
      return { webhookEndpoints: nouns, ...page };
    },
    getOriginalRequest: (request) => getOriginalRequest(query, request),
    listEventDeliveries: (request) => listEventDeliveries(query, request),
    countPendingDeliveries: (request) => countPendingDeliveries(query, request),
    findDueWork: () => findDueWork(query),
    getOldestDue: () => getOldestDue(query),
    countPostponedWork: () => countPostponedWork(query),
    listDeadWork: (request) => listDeadWork(query, request),
  } satisfies Partial<ServiceImpl<typeof ReaderService>>;
}
