import { Code } from "@connectrpc/connect";
import type { RedriveDeliveriesRequest, RetryDeliveryRequest } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { once } from "./once.ts";
import { nounOf } from "./snapshots.ts";
import { effectOf, lockWebhookEndpoint } from "./webhook-endpoints.ts";

/** What is due already comes at once; a try under way is of a turn that is over. */
const RETRY = {
  name: "retry_delivery",
  text: `insert into delivery as d (account_id, event_id, webhook_endpoint_id, state, turn, rung, due_time, create_time)
    select e.account_id, e.event_id, $3, 'due', 1, 0, statement_timestamp(), statement_timestamp()
      from event e where e.account_id = $1 and e.event_id = $2
    on conflict (account_id, event_id, webhook_endpoint_id) do update
      set state = 'due', turn = d.turn + 1, rung = 0, due_time = statement_timestamp(), lease_count = 0
    returning d.event_id`,
};

/** By the endpoints, so that whatever is dead is found by an index; one that another redrive holds is left to it. */
const REDRIVE = {
  name: "redrive_deliveries",
  text: `update delivery d
      set state = 'due', turn = d.turn + 1, rung = 0, due_time = statement_timestamp(), lease_count = 0
    from (
      select f.account_id, f.event_id, f.webhook_endpoint_id from webhook_endpoint w
      join delivery f on f.account_id = w.account_id and f.webhook_endpoint_id = w.webhook_endpoint_id and f.state = 'dead'
      where w.disable_time is null and w.delete_time is null
      order by f.account_id, f.webhook_endpoint_id, f.event_id limit $1 for update of f skip locked
    ) i
    where d.account_id = i.account_id and d.event_id = i.event_id and d.webhook_endpoint_id = i.webhook_endpoint_id
    returning d.event_id`,
};

/**
 * Makes an event due to an endpoint, again or for the first time. Refuses EVENT_NOT_FOUND, WEBHOOK_ENDPOINT_NOT_FOUND, and
 * WEBHOOK_ENDPOINT_DISABLED one that hears of nothing.
 */
export async function retryDelivery(dependencies: WriterDependencies, request: RetryDeliveryRequest) {
  const { accountId, eventId, webhookEndpointId } = request;
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const endpoint = await lockWebhookEndpoint(query, request);
    if (endpoint.isDisabled) {
      const message = `the endpoint ${webhookEndpointId} is disabled`;
      refuse(Code.FailedPrecondition, "WEBHOOK_ENDPOINT_DISABLED", message, "webhook_endpoint_id");
    }
    const rows = await query(RETRY, [accountId, eventId, webhookEndpointId]);
    if (rows.length === 0) refuse(Code.NotFound, "EVENT_NOT_FOUND", `no event ${eventId}`, "event_id");
    return effectOf(endpoint);
  });
  return { webhookEndpoint: nounOf(answer, "webhookEndpoint"), isReplayed };
}

/** Makes dead deliveries due again, of every account. Done twice, the second time finds only what has died since. */
export async function redriveDeliveries({ database }: WriterDependencies, { limit }: RedriveDeliveriesRequest) {
  return { redrivenCount: (await database.query(REDRIVE, [limit])).length };
}
