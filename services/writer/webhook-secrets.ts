import { Code } from "@connectrpc/connect";
import type { RotateWebhookSecretRequest } from "../../gen/tripe/writer/v1/webhook_endpoints_pb.ts";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";
import { randomBase62 } from "../_runtime/ids.ts";
import { sealText, unsealText } from "../_runtime/seal.ts";
import type { WriterDependencies } from "./answers.ts";
import { once } from "./once.ts";
import { nounOf } from "./snapshots.ts";
import { type EndpointKey, effectOf, lockWebhookEndpoint } from "./webhook-endpoints.ts";

/** As long as Stripe's: 190 bits. */
const SECRET_CHARS = 32;

const INSERT = {
  name: "insert_webhook_secret",
  text: `insert into webhook_secret (account_id, webhook_endpoint_id, request_id, sealed_secret, create_time)
    values ($1, $2, $3, $4, statement_timestamp())`,
};

/** One that expires already does so no later for being replaced again. */
const EXPIRE = {
  name: "expire_webhook_secrets",
  text: `update webhook_secret set expire_time = statement_timestamp() + make_interval(secs => $3)
    where account_id = $1 and webhook_endpoint_id = $2 and expire_time is null`,
};

/** What has expired signs nothing; it goes when the next one comes. */
const FORGET = {
  name: "forget_webhook_secrets",
  text: `delete from webhook_secret
    where account_id = $1 and webhook_endpoint_id = $2 and expire_time <= statement_timestamp()`,
};

const COUNT = {
  name: "count_webhook_secrets",
  text: "select count(*)::int as count from webhook_secret where account_id = $1 and webhook_endpoint_id = $2",
};

/** As many as sign an event (LeaseDeliveries, DeliverEvent): one more would end the oldest before its time. */
const SECRETS_MAX = 4;

const FIND = {
  name: "find_webhook_secret",
  text: `select sealed_secret from webhook_secret
    where account_id = $1 and webhook_endpoint_id = $2 and request_id = $3 and expire_time is null`,
};

/**
 * Gives an endpoint a new secret; the old one signs beside it as long as asked. Refuses WEBHOOK_ENDPOINT_NOT_FOUND, and
 * WEBHOOK_SECRETS_TOO_MANY a fifth secret beside four that sign.
 */
export async function rotateWebhookSecret(dependencies: WriterDependencies, request: RotateWebhookSecretRequest) {
  const { accountId, webhookEndpointId, requestId, oldExpiresInSeconds } = request;
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const endpoint = await lockWebhookEndpoint(query, request);
    await query(EXPIRE, [accountId, webhookEndpointId, oldExpiresInSeconds]);
    await query(FORGET, [accountId, webhookEndpointId]);
    const [{ count } = { count: 0 }] = await query<{ count: number }>(COUNT, [accountId, webhookEndpointId]);
    if (count >= SECRETS_MAX) {
      const message = `an endpoint has at most ${SECRETS_MAX} secrets at once`;
      refuse(Code.FailedPrecondition, "WEBHOOK_SECRETS_TOO_MANY", message, "webhook_endpoint_id");
    }
    await addSecret(dependencies, query, { accountId, webhookEndpointId, requestId });
    return effectOf(endpoint);
  });
  const made = { accountId, webhookEndpointId, requestId };
  const secret = await findSecret(dependencies, made);
  return { webhookEndpoint: nounOf(answer, "webhookEndpoint"), isReplayed, secret };
}

/** Which secret: an endpoint's, by the request that made it. */
type SecretKey = EndpointKey & { readonly requestId: string };

/** Makes the secret of an endpoint that has none that lasts. */
export async function addSecret(
  { webhookKeys }: Pick<WriterDependencies, "webhookKeys">,
  query: Query,
  { accountId, webhookEndpointId, requestId }: SecretKey,
): Promise<void> {
  const secret = `whsec_${randomBase62(SECRET_CHARS)}`;
  const sealed = sealText(webhookKeys, secret, { accountId, objectId: webhookEndpointId });
  await query(INSERT, [accountId, webhookEndpointId, requestId, sealed]);
}

/** Finds the secret that a request made, for the answer to that request; empty when it was replaced since. */
export async function findSecret({ database, webhookKeys }: WriterDependencies, key: SecretKey): Promise<string> {
  const { accountId, webhookEndpointId, requestId } = key;
  const [row] = await database.query<SealedRow>(FIND, [accountId, webhookEndpointId, requestId]);
  if (row === undefined) return "";
  return unsealText(webhookKeys, row.sealed_secret, { accountId, objectId: webhookEndpointId });
}

interface SealedRow {
  readonly sealed_secret: Buffer;
}
