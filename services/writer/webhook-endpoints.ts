import { Code } from "@connectrpc/connect";
import type { WebhookEndpoint } from "../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import type {
  CreateWebhookEndpointRequest,
  DeleteWebhookEndpointRequest,
  UpdateWebhookEndpointRequest,
} from "../../gen/tripe/writer/v1/webhook_endpoints_pb.ts";
import type { Query } from "../_database/connect.ts";
import {
  type WebhookEndpointRow,
  webhookEndpointColumns,
  webhookEndpointOf,
} from "../_database/rows/webhook-endpoint.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, once } from "./once.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";
import { addSecret, findSecret } from "./webhook-secrets.ts";

/** Stripe's limit (docs.stripe.com/webhooks, "Register your endpoint"): each event is a row and a job for every one of them. */
const ENDPOINTS_MAX = 16;

/** One creation of an account at a time, so that their number is certain: the count is a statement of its own, and sees them. */
const LOCK_ACCOUNT = {
  name: "lock_account",
  text: "select account_id from account where account_id = $1 for no key update",
};

const COUNT = {
  name: "count_webhook_endpoints",
  text: "select count(*)::int as count from webhook_endpoint where account_id = $1 and delete_time is null",
};

const INSERT = {
  name: "insert_webhook_endpoint",
  text: `insert into webhook_endpoint (account_id, webhook_endpoint_id, url, event_types, description, metadata,
      api_version, match_time, make_time, create_time)
    values ($1, $2, $3, $4, $5, $6, $7, statement_timestamp(), statement_timestamp(), business_now($1))`,
};

const LOCK = {
  name: "lock_webhook_endpoint",
  text: `select ${webhookEndpointColumns} from webhook_endpoint w join account a using (account_id)
    where w.account_id = $1 and w.webhook_endpoint_id = $2 and w.delete_time is null for no key update of w`,
};

/** $7 says whether it is to be disabled; a state that is as it was keeps its reason. */
const UPDATE = {
  name: "update_webhook_endpoint",
  text: `update webhook_endpoint set url = $3, event_types = $4, description = $5, metadata = $6,
      disable_reason = case when $7 then coalesce(disable_reason, 'merchant') end,
      disable_time = case when $7 then coalesce(disable_time, statement_timestamp()) end,
      fail_time = case when $7 or disable_time is null then fail_time end,
      match_time = case when event_types = $4 and (disable_time is null) = not $7 then match_time else statement_timestamp() end
    where account_id = $1 and webhook_endpoint_id = $2`,
};

const DELETE = {
  name: "delete_webhook_endpoint",
  text: `update webhook_endpoint set delete_time = business_now($1) where account_id = $1 and webhook_endpoint_id = $2`,
};

const STOP = {
  name: "stop_deliveries",
  text: `update delivery set state = 'disabled', due_time = null
    where account_id = $1 and webhook_endpoint_id = $2 and state = 'due'`,
};

/**
 * What would still be tried had the endpoint not been disabled: an event's ladder lasts three days. Ten thousand are half a
 * second's work; of more, the oldest are left.
 */
const REVIVE = {
  name: "revive_deliveries",
  text: `update delivery d
      set state = 'due', turn = d.turn + 1, rung = 0, due_time = statement_timestamp(), lease_count = 0
    from (
      select f.account_id, f.event_id, f.webhook_endpoint_id from delivery f
      where f.account_id = $1 and f.webhook_endpoint_id = $2 and f.state = 'disabled'
        and f.create_time > statement_timestamp() - interval '72 hours'
      order by f.event_id desc limit 10000
    ) i
    where d.account_id = i.account_id and d.event_id = i.event_id and d.webhook_endpoint_id = i.webhook_endpoint_id`,
};

const UPDATABLE = ["url", "event_types", "description", "is_disabled"];

/**
 * Makes an endpoint and its secret, which is in the answer to this request id alone. Refuses WEBHOOK_ENDPOINTS_TOO_MANY one
 * more than sixteen.
 */
export async function createWebhookEndpoint(dependencies: WriterDependencies, request: CreateWebhookEndpointRequest) {
  const { accountId, webhookEndpoint: given } = request;
  assert(given !== undefined, "validation requires the endpoint");
  const key = { accountId, webhookEndpointId: given.webhookEndpointId };
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    await query(LOCK_ACCOUNT, [accountId]);
    const [{ count } = { count: 0 }] = await query<{ count: number }>(COUNT, [accountId]);
    if (count >= ENDPOINTS_MAX) {
      const message = `an account has at most ${ENDPOINTS_MAX} endpoints`;
      refuse(Code.FailedPrecondition, "WEBHOOK_ENDPOINTS_TOO_MANY", message, "webhook_endpoint");
    }
    const { url, eventTypes, description, metadata, apiVersion } = given;
    const texts = [url, eventTypes, description, JSON.stringify(metadata), apiVersion];
    await query(INSERT, [accountId, key.webhookEndpointId, ...texts]);
    await addSecret(dependencies, query, { ...key, requestId: request.requestId });
    return effectOf(await lockWebhookEndpoint(query, key));
  });
  const webhookEndpoint = nounOf(answer, "webhookEndpoint");
  const { webhookEndpointId } = webhookEndpoint;
  const made = { accountId, webhookEndpointId, requestId: request.requestId };
  return { webhookEndpoint, isReplayed, secret: await findSecret(dependencies, made) };
}

/**
 * Changes an endpoint. Enabled again, it is sent what it missed of the last three days. Refuses WEBHOOK_ENDPOINT_NOT_FOUND,
 * and an unknown field of the mask.
 */
export async function updateWebhookEndpoint(dependencies: WriterDependencies, request: UpdateWebhookEndpointRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, webhookEndpoint: change } = request;
    assert(change !== undefined, "validation requires the endpoint");
    const key = { accountId, webhookEndpointId: change.webhookEndpointId };
    const current = await lockWebhookEndpoint(query, key);
    const next = applyMask(current, change, request.updateMask?.paths ?? [], UPDATABLE);
    const metadata = JSON.stringify(patchMetadata(current.metadata, request.metadataPatch));
    const { url, eventTypes, description, isDisabled } = next;
    await query(UPDATE, [accountId, key.webhookEndpointId, url, eventTypes, description, metadata, isDisabled]);
    if (isDisabled) await stopDeliveries(query, key);
    else if (current.isDisabled) await query(REVIVE, [accountId, key.webhookEndpointId]);
    return effectOf(await lockWebhookEndpoint(query, key));
  });
  return { webhookEndpoint: nounOf(answer, "webhookEndpoint"), isReplayed };
}

/** Deletes an endpoint; what is due to it stops. Refuses WEBHOOK_ENDPOINT_NOT_FOUND. */
export async function deleteWebhookEndpoint(dependencies: WriterDependencies, request: DeleteWebhookEndpointRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const effect = effectOf(await lockWebhookEndpoint(query, request));
    await query(DELETE, [request.accountId, request.webhookEndpointId]);
    await stopDeliveries(query, request);
    return effect;
  });
  return { webhookEndpoint: nounOf(answer, "webhookEndpoint"), isReplayed };
}

/** Which endpoint. */
export interface EndpointKey {
  readonly accountId: string;
  readonly webhookEndpointId: string;
}

/** Reads an endpoint and holds it until the transaction ends. Refuses WEBHOOK_ENDPOINT_NOT_FOUND one that is not there. */
export async function lockWebhookEndpoint(query: Query, key: EndpointKey): Promise<WebhookEndpoint> {
  const { accountId, webhookEndpointId } = key;
  const [row] = await query<WebhookEndpointRow>(LOCK, [accountId, webhookEndpointId]);
  if (row === undefined) {
    const message = `no endpoint ${webhookEndpointId}`;
    refuse(Code.NotFound, "WEBHOOK_ENDPOINT_NOT_FOUND", message, "webhook_endpoint_id");
  }
  return webhookEndpointOf(row);
}

/** Ends what is due to an endpoint that hears of nothing any more; the caller holds its row. */
export async function stopDeliveries(query: Query, { accountId, webhookEndpointId }: EndpointKey): Promise<void> {
  await query(STOP, [accountId, webhookEndpointId]);
}

/** What changed an endpoint and made no event: Stripe has none of endpoints. */
export function effectOf(endpoint: WebhookEndpoint): Effect {
  return { answer: snapshotOf("webhookEndpoint", endpoint), nounId: endpoint.webhookEndpointId, events: [] };
}
