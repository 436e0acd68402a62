import { create, toBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import Stripe from "stripe";
import { afterAll } from "vitest";
import { SnapshotSchema } from "../../../gen/tripe/billing/v1/event_pb.ts";
import { createClient } from "../../_database/connect-client.ts";
import { createId } from "../../_runtime/ids.ts";
import type { TestTripe } from "../../testing.ts";
import type { ReceivedRequest } from "../../webhooks/testing/merchant.ts";

/** An endpoint as its merchant knows it. */
export interface TestEndpoint {
  readonly accountId: string;
  readonly webhookEndpointId: string;
  readonly secret: string;
}

/** Makes endpoints and events on a Tripe, and looks at what became of them. */
export async function setupWebhooks(tripe: TestTripe) {
  const edge = tripe.clientsOf("edge");
  const database = createClient({ url: tripe.database.urls.owner, name: "tripe_test" });
  await database.connect();
  afterAll(() => database.end());
  const read = async <Row>(text: string, ...values: unknown[]) => (await database.query(text, values)).rows as Row[];
  const key = (accountId: string) => ({ accountId, requestId: createId("req_"), requestDigest: new Uint8Array([1]) });
  return {
    ...{ edge, key, read },
    createEndpoint: async (
      url: string,
      { accountId = tripe.accountId, eventTypes = ["*"] } = {},
    ): Promise<TestEndpoint> => {
      const webhookEndpointId = createId("we_");
      const webhookEndpoint = { webhookEndpointId, url, eventTypes };
      const { secret } = await edge.writer.createWebhookEndpoint({ ...key(accountId), webhookEndpoint });
      return { accountId, webhookEndpointId, secret };
    },
    /** Writes events as commits would, each of a customer of its own; answers with their ids, the oldest first. */
    tell: async (count: number, { accountId = tripe.accountId, type = "customer.created" } = {}): Promise<string[]> => {
      const customers = Array.from({ length: count }, () => createId("cus_"));
      const events = customers.map(() => createId("evt_"));
      const createTime = timestampNow();
      const snapshots = customers.map((customerId) =>
        toBinary(
          SnapshotSchema,
          create(SnapshotSchema, { noun: { case: "customer", value: { customerId, name: "Ann", createTime } } }),
        ),
      );
      await read(
        `insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time)
          select $1, e.event_id, $5, e.customer_id, e.snapshot, '', '', statement_timestamp()
          from unnest($2::text[], $3::text[], $4::bytea[]) as e(event_id, customer_id, snapshot)`,
        ...[accountId, events, customers, snapshots, type],
      );
      return events;
    },
    /** How many deliveries of an endpoint are in each state. */
    states: async ({ webhookEndpointId }: TestEndpoint): Promise<Record<string, number>> => {
      const text = "select state, count(*)::int as count from delivery where webhook_endpoint_id = $1 group by state";
      const rows = await read<{ state: string; count: number }>(text, webhookEndpointId);
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    },
  };
}

const sdk = new Stripe("sk_test_unused1234");

/** The event of a request, as the official SDK takes it under a secret; throws when it does not. */
export function verify({ body, headers }: ReceivedRequest, secret: string): Stripe.Event {
  return sdk.webhooks.constructEvent(body, String(headers["stripe-signature"]), secret);
}
