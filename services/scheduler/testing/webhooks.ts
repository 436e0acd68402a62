import { create, toBinary } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import Stripe from "stripe";
import { afterAll, vi } from "vitest";
import { SnapshotSchema } from "../../../gen/tripe/billing/v1/event_pb.ts";
import { Sweep } from "../../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { createClient } from "../../_database/connect-client.ts";
import { systemClock } from "../../_runtime/clock.ts";
import { createId } from "../../_runtime/ids.ts";
import { openKeys } from "../../_runtime/key-files.ts";
import { keyFile } from "../../_runtime/key-ring.ts";
import type { TestTripe } from "../../testing.ts";
import { createWebhooksClient, reachOf } from "../../webhooks/testing/client.ts";
import { type ReceivedRequest, startMerchant } from "../../webhooks/testing/merchant.ts";
import { startTestScheduler, type TestSchedulerOptions } from "./billing.ts";

/** An endpoint as its merchant knows it. */
export interface TestEndpoint {
  readonly accountId: string;
  readonly webhookEndpointId: string;
  readonly secret: string;
}

/** How events are delivered in tests: nearly at once, to this machine; a post may take 2 s. */
const courier = {
  clock: systemClock,
  lookup: () => Promise.reject(new Error("no names here")),
  reach: reachOf(true),
  timeLimitMs: 2_000,
};

/**
 * Makes endpoints and events on a Tripe, delivers them, and looks at what became of them. A scheduler is waited for so many
 * milliseconds until nothing is due.
 */
export async function setupWebhooks(tripe: TestTripe, { patienceMs = 80_000 } = {}) {
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
    /** Deletes endpoints, so that they hear of nothing of the tests that follow. */
    end: async (...endpoints: readonly TestEndpoint[]): Promise<void> => {
      for (const { accountId, webhookEndpointId } of endpoints) {
        await edge.writer.deleteWebhookEndpoint({ ...key(accountId), webhookEndpointId });
      }
    },
    /** A scheduler that sweeps when told, on a backoff schedule of two short steps; `drain` lets it, until nothing is due. */
    start: (options: TestSchedulerOptions = {}) => {
      const scheduler = startDelivering(tripe, options);
      const isDrained = async () => {
        await scheduler.run(Sweep.EVENTS);
        await scheduler.run(Sweep.DELIVERIES);
        const [row] = await read<{ isDone: boolean }>(IS_DRAINED);
        return row?.isDone === true;
      };
      return { ...scheduler, drain: () => vi.waitUntil(isDrained, { timeout: patienceMs, interval: 50 }) };
    },
    /** How many deliveries of an endpoint are in each state. */
    states: async ({ webhookEndpointId }: TestEndpoint): Promise<Record<string, number>> => {
      const text = "select state, count(*)::int as count from delivery where webhook_endpoint_id = $1 group by state";
      const rows = await read<{ state: string; count: number }>(text, webhookEndpointId);
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    },
  };
}

function startDelivering(tripe: TestTripe, options: TestSchedulerOptions) {
  const file = keyFile(tripe.config.dataDir, "webhook");
  const webhookKeys = openKeys({ kind: "webhook", file, clock: systemClock });
  return startTestScheduler(tripe, {
    ...options,
    delivering: { backoffMs: [20, 20], faultWaitMs: 0, ...options.delivering },
    clients: { webhooks: createWebhooksClient({ ...courier, webhookKeys }), ...options.clients },
  });
}

const IS_DRAINED = `select not exists (select from delivery where state = 'due')
  and not exists (select from event where dispatch_time is null) as "isDone"`;

/** A merchant's server that says nothing but a status; it ends after the file's tests. */
export async function startSink(status: number) {
  const sink = await startMerchant((_request, response) => response.writeHead(status).end());
  afterAll(() => sink.close());
  return sink;
}

/** Where a merchant's server of this machine takes events. */
export function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/hook`;
}

const sdk = new Stripe("sk_test_unused1234");

/** The event of a request, as the official SDK takes it under a secret; throws when it does not. */
export function verify({ body, headers }: ReceivedRequest, secret: string): Stripe.Event {
  return sdk.webhooks.constructEvent(body, String(headers["stripe-signature"]), secret);
}
