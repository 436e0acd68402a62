import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { DeliveryOutcome } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { createClient } from "../_database/connect-client.ts";
import { systemClock } from "../_runtime/clock.ts";
import { startTestTripe } from "../testing.ts";
import { createWebhooksClient } from "../webhooks/testing/client.ts";
import { type ReceivedRequest, startMerchant } from "../webhooks/testing/merchant.ts";
import { startTestScheduler, type TestSchedulerOptions } from "./testing/billing.ts";
import { setupWebhooks, type TestEndpoint, verify } from "./testing/webhooks.ts";

// T19 to T22 of 7-reliability.md, small. The ladder has two rungs of nearly no time, and a post may take 2 s.
vi.setConfig({ testTimeout: 90_000 });

const tripe = await startTestTripe();
const webhooks = await setupWebhooks(tripe);
await webhooks.read("update account set email = 'owner@example.com'");
const boss = createClient({ url: tripe.database.urls.scheduler, name: "tripe_test" });
await boss.connect();
afterAll(() => boss.end());

const courier = {
  clock: systemClock,
  lookup: () => Promise.reject(new Error("no names here")),
  allowsLoopback: true,
  timeLimitMs: 2_000,
};

test("T19: of 100 events every delivery is accounted for, whatever the servers do, and every body verifies", async () => {
  const good = await startSink(200);
  const stranger = await startSink(200);
  const late = await startMerchant((_request, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write("."), 100);
    response.on("close", () => clearInterval(drip));
  });
  const huge = await startMerchant((_request, response) => response.writeHead(200).end(Buffer.alloc(10_000_000)));
  const silent = await startMerchant(() => {});
  const busy = await startMerchant((_request, response) => response.writeHead(429, { "Retry-After": "0" }).end());
  const failing = await startSink(500);
  const gone = await startSink(410);
  const elsewhere = await startMerchant((_request, response) =>
    response.writeHead(302, { Location: `http://127.0.0.1:${stranger.port}/` }).end(),
  );
  afterAll(() => Promise.all([late, huge, silent, busy, elsewhere].map((one) => one.close())));
  const makers = { good, late, huge, silent, busy, failing, gone, elsewhere };
  const endpoints = new Map<string, TestEndpoint>();
  for (const [name, { port }] of Object.entries(makers)) {
    // All hear of a few events, the healthy and the failing of a hundred: what hangs costs 2 s a post.
    const eventTypes = ["good", "failing", "gone", "busy"].includes(name) ? ["*"] : ["product.created"];
    endpoints.set(name, await webhooks.createEndpoint(urlOf(port), { eventTypes }));
  }
  const scheduler = start();
  await webhooks.tell(95);
  await webhooks.tell(5, { type: "product.created" });
  await scheduler.drain();
  const statesOf = async (name: string) => webhooks.states(endpoints.get(name) as TestEndpoint);
  expect(await statesOf("good")).toEqual({ delivered: 100 });
  expect(await statesOf("late")).toEqual({ delivered: 5 });
  expect(await statesOf("huge")).toEqual({ delivered: 5 });
  expect(await statesOf("silent")).toEqual({ dead: 5 });
  expect(await statesOf("busy")).toEqual({ dead: 100 });
  expect(await statesOf("failing")).toEqual({ dead: 100 });
  expect(await statesOf("elsewhere")).toEqual({ dead: 5 });
  expect(await statesOf("gone")).toEqual({ disabled: 100 });
  expect(stranger.received).toEqual([]);
  expect(failing.received).toHaveLength(300);
  for (const [name, merchant] of Object.entries(makers)) {
    const { secret } = endpoints.get(name) as TestEndpoint;
    for (const request of merchant.received) verify(request, secret);
  }
  // A later attempt posts the first one's bytes under a signature of its own.
  for (const [, [first, ...others]] of byEvent(failing.received)) {
    for (const one of others) expect(one.body).toEqual(first?.body);
  }
  const { webhookEndpointId } = endpoints.get("gone") as TestEndpoint;
  const accountId = tripe.accountId;
  const { webhookEndpoint } = await webhooks.edge.reader.getWebhookEndpoint({ accountId, webhookEndpointId });
  expect(webhookEndpoint?.isDisabled).toBe(true);
  await scheduler.run(Sweep.DELIVERIES);
  expect((await webhooks.edge.reader.listUnnoticedEndpoints({ limit: 10 })).endpoints).toEqual([]);
  await webhooks.edge.writer.markEndpointNoticed({ accountId, webhookEndpointId });
  const folder = join(tripe.config.dataDir, "mail");
  const mails = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  expect(mails.filter((mail) => mail.includes("Your webhook endpoint was disabled"))).toHaveLength(1);
  expect(mails[0]).toContain("owner@example.com");
  await end(endpoints);
});

test("T20: a secret rotated while 100 events are on their way: whoever has the old one or the new one takes them all", async () => {
  const sink = await startSink(200);
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = start();
  await webhooks.tell(50);
  await scheduler.run(Sweep.EVENTS);
  const rotation = { accountId: tripe.accountId, webhookEndpointId: endpoint.webhookEndpointId };
  const rotated = await webhooks.edge.writer.rotateWebhookSecret({
    ...webhooks.key(tripe.accountId),
    ...rotation,
    oldExpiresInSeconds: 3_600,
  });
  const before = sink.received.length;
  await webhooks.tell(50);
  await scheduler.drain();
  expect(sink.received).toHaveLength(100);
  for (const request of sink.received) verify(request, endpoint.secret);
  for (const request of sink.received.slice(before + 50)) verify(request, rotated.secret);
  await end(new Map([["", endpoint]]));
});

test("T21: jobs that name nothing and events that cannot be read are dead letters, and their neighbours do not notice", async () => {
  const sink = await startSink(200);
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = start();
  await scheduler.drain();
  const ids = { accountId: tripe.accountId, webhookEndpointId: endpoint.webhookEndpointId };
  const poison = [
    {},
    "words",
    [],
    { ...ids, eventId: "evt_none", turn: 1 },
    { ...ids, eventId: "x".repeat(99), turn: 1 },
  ];
  for (const data of poison) {
    await boss.query("insert into jobs.job (name, data, retry_limit, retry_delay) values ('webhook', $1, 5, 0)", [
      JSON.stringify(data),
    ]);
  }
  const [broken = ""] = await webhooks.tell(1);
  await webhooks.read("update event set snapshot = '\\xff' where event_id = $1", broken);
  await webhooks.tell(100);
  await scheduler.drain();
  expect(await webhooks.states(endpoint)).toEqual({ delivered: 100, dead: 1 });
  const { queues } = await scheduler.client.listQueues({});
  const dead = queues.find(({ name }) => name === "webhook_dead");
  expect(dead?.waitingCount).toBe(poison.length);
  expect(queues.find(({ name }) => name === "webhook")).toMatchObject({ waitingCount: 0, activeCount: 0 });
  const { writer, reader } = tripe.clientsOf("scheduler");
  await expect(reader.getDelivery({ ...ids, eventId: "evt_none" })).rejects.toThrow(/DELIVERY_NOT_FOUND|no delivery/);
  // A try of a turn that is over changes nothing, and neither does queueing it.
  const delivery = { ...ids, eventId: broken, turn: 1 };
  const disableAfter = { seconds: 1n, nanos: 0 };
  const tries = [{ delivery, outcome: DeliveryOutcome.DELIVERED }];
  expect(await writer.recordDeliveries({ tries, disableAfter })).toMatchObject({ recordedCount: 0 });
  expect(await writer.markDeliveriesQueued({ deliveries: [delivery] })).toMatchObject({ markedCount: 0 });
  await end(new Map([["", endpoint]]));
});

test("T22: 100 dead letters redriven twice are delivered once", async () => {
  let status = 500;
  const sink = await startMerchant((_request, response) => response.writeHead(status).end());
  afterAll(() => sink.close());
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = start();
  const events = await webhooks.tell(100);
  await scheduler.drain();
  expect(await webhooks.states(endpoint)).toEqual({ dead: 100 });
  const { reader } = webhooks.edge;
  expect(Number((await reader.countDeliveries({})).deadCount)).toBeGreaterThanOrEqual(100);
  status = 200;
  const before = sink.received.length;
  const first = await scheduler.client.redriveQueue({ queue: "webhook" });
  expect(first.redrivenCount).toBeGreaterThanOrEqual(100);
  const eventIds = events.slice(0, 100);
  const { counts } = await reader.countPendingDeliveries({ accountId: tripe.accountId, eventIds });
  expect(Object.keys(counts)).toHaveLength(100);
  expect(await scheduler.client.redriveQueue({ queue: "webhook" })).toMatchObject({ redrivenCount: 0 });
  await scheduler.drain();
  expect(await webhooks.states(endpoint)).toEqual({ delivered: 100 });
  await scheduler.client.redriveQueue({ queue: "webhook" });
  await scheduler.drain();
  expect(sink.received.length - before).toBe(100);
  // A job of a turn that is over finds nothing to do.
  const { accountId, webhookEndpointId } = endpoint;
  await boss.query("insert into jobs.job (name, data) values ('webhook', $1)", [
    JSON.stringify({ accountId, webhookEndpointId, eventId: eventIds[0], turn: 1 }),
  ]);
  await scheduler.drain();
  expect(sink.received.length - before).toBe(100);
  await expect(scheduler.client.redriveQueue({ queue: "post" })).rejects.toThrow(/QUEUE_UNKNOWN|queues are/);
  expect(await scheduler.client.redriveQueue({ queue: "mail" })).toMatchObject({ redrivenCount: 0 });
  await end(new Map([["", endpoint]]));
});

test("ten events of one account do not wait behind hundreds of another whose server is slow", async () => {
  const slow = await startMerchant((_request, response) => void setTimeout(() => response.writeHead(200).end(), 100));
  const quick = await startSink(200);
  afterAll(() => slow.close());
  const endpoint = await webhooks.createEndpoint(urlOf(slow.port));
  const other = await webhooks.createEndpoint(urlOf(quick.port), { accountId: tripe.liveAccountId });
  const scheduler = start();
  await webhooks.tell(600);
  await webhooks.tell(10, { accountId: tripe.liveAccountId });
  const draining = scheduler.drain();
  await vi.waitUntil(() => quick.received.length === 10, { timeout: 60_000, interval: 5 });
  expect(slow.received.length).toBeLessThan(300);
  await draining;
  expect(slow.received.length).toBe(600);
  await end(new Map(Object.entries({ endpoint, other })));
});

test("what was posted and not written down is posted again, under the same event's id", async () => {
  const sink = await startSink(200);
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const { writer } = tripe.clientsOf("scheduler");
  let losses = 0;
  const lossy = {
    ...writer,
    recordDeliveries: (request: Parameters<typeof writer.recordDeliveries>[0]) => {
      losses += 1;
      return losses === 1 ? Promise.reject(new Error("lost")) : writer.recordDeliveries(request);
    },
  };
  const scheduler = start({ clients: { writer: lossy } });
  const [eventId] = await webhooks.tell(1);
  await scheduler.drain();
  expect(sink.received.map((request) => verify(request, endpoint.secret).id)).toEqual([eventId, eventId]);
  expect(await webhooks.states(endpoint)).toEqual({ delivered: 1 });
  await end(new Map([["", endpoint]]));
});

test("an endpoint that has failed for three days is disabled, and what is due to it ends; one success begins anew", async () => {
  let status = 500;
  const sink = await startMerchant((_request, response) => response.writeHead(status).end());
  afterAll(() => sink.close());
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = start();
  const age = (interval: string) =>
    webhooks.read(
      `update webhook_endpoint set fail_time = fail_time - $2::interval where webhook_endpoint_id = $1`,
      endpoint.webhookEndpointId,
      interval,
    );
  await webhooks.tell(1);
  await scheduler.drain();
  await age("71 hours");
  await webhooks.tell(1);
  await scheduler.drain();
  status = 200;
  await webhooks.tell(1);
  await scheduler.drain();
  status = 500;
  await webhooks.tell(1);
  await scheduler.drain();
  expect(await webhooks.states(endpoint)).toEqual({ dead: 3, delivered: 1 });
  await age("73 hours");
  await webhooks.tell(3);
  await scheduler.drain();
  const { accountId, webhookEndpointId } = endpoint;
  const { webhookEndpoint } = await webhooks.edge.reader.getWebhookEndpoint({ accountId, webhookEndpointId });
  expect(webhookEndpoint?.isDisabled).toBe(true);
  const { due = 0 } = await webhooks.states(endpoint);
  expect(due).toBe(0);
});

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}/hook`;
}

async function startSink(status: number) {
  const sink = await startMerchant((_request, response) => response.writeHead(status).end());
  afterAll(() => sink.close());
  return sink;
}

function byEvent(received: readonly ReceivedRequest[]) {
  return Map.groupBy(received, ({ body }) => String(JSON.parse(body.toString()).id));
}

/** Deletes endpoints, so that they hear of nothing of the tests that follow. */
async function end(endpoints: ReadonlyMap<string, TestEndpoint>): Promise<void> {
  for (const { accountId, webhookEndpointId } of endpoints.values()) {
    await webhooks.edge.writer.deleteWebhookEndpoint({ ...webhooks.key(accountId), webhookEndpointId });
  }
}

/** A scheduler that sweeps when told; `drain` lets it, until nothing is due and nothing is queued. */
function start(options: TestSchedulerOptions = {}) {
  const scheduler = startTestScheduler(tripe, {
    mails: true,
    webhookDelaySeconds: 0,
    ...options,
    delivering: { ladderMs: [20, 20] },
    clients: { webhooks: createWebhooksClient(courier), ...options.clients },
  });
  const isDrained = async () => {
    await vi.waitFor(() => scheduler.run(Sweep.EVENTS), { timeout: 30_000, interval: 50 });
    await scheduler.run(Sweep.DELIVERIES);
    const [row] = await webhooks.read<{ isDone: boolean }>(
      `select not exists (select from delivery where state = 'due') and not exists (select from event where dispatch_time is null)
        and not exists (select from jobs.job where name = 'webhook' and state <= 'active') as "isDone"`,
    );
    return row?.isDone === true;
  };
  return { ...scheduler, drain: () => vi.waitUntil(isDrained, { timeout: 80_000, interval: 50 }) };
}
