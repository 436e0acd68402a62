import { afterAll, expect, test, vi } from "vitest";
import { startTestTripe } from "../testing.ts";
import { startMerchant } from "../webhooks/testing/merchant.ts";
import { setupWebhooks, startSink, urlOf, verify } from "./testing/webhooks.ts";

vi.setConfig({ testTimeout: 90_000 });

const tripe = await startTestTripe();
const webhooks = await setupWebhooks(tripe);

test("ten events of one account do not wait behind hundreds of another whose server is slow", async () => {
  const slow = await startMerchant((_request, response) => void setTimeout(() => response.writeHead(200).end(), 100));
  const quick = await startSink(200);
  afterAll(() => slow.close());
  const endpoint = await webhooks.createEndpoint(urlOf(slow.port));
  const other = await webhooks.createEndpoint(urlOf(quick.port), { accountId: tripe.liveAccountId });
  const scheduler = webhooks.start();
  await webhooks.tell(600);
  await webhooks.tell(10, { accountId: tripe.liveAccountId });
  const draining = scheduler.drain();
  await vi.waitUntil(() => quick.received.length === 10, { timeout: 60_000, interval: 5 });
  expect(slow.received.length).toBeLessThan(300);
  await draining;
  expect(slow.received.length).toBe(600);
  await webhooks.end(endpoint, other);
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
  const scheduler = webhooks.start({ clients: { writer: lossy } });
  const [eventId] = await webhooks.tell(1);
  await scheduler.drain();
  expect(sink.received.map((request) => verify(request, endpoint.secret).id)).toEqual([eventId, eventId]);
  expect(await webhooks.states(endpoint)).toEqual({ delivered: 1 });
  await webhooks.end(endpoint);
});

test("what was queued and is gone from the queue is queued again after 15 minutes", async () => {
  const sink = await startSink(200);
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const { reader, writer } = tripe.clientsOf("scheduler");
  await webhooks.tell(1);
  const { events } = await reader.listUndispatchedEvents({ limit: 10 });
  await writer.markEventsDispatched({ events: events.map(({ accountId, eventId }) => ({ accountId, eventId })) });
  const unqueued = await reader.listUnqueuedDeliveries({ limit: 10 });
  const deliveries = unqueued.deliveries.map(({ $typeName: _, ...turn }) => turn);
  expect(await writer.markDeliveriesQueued({ deliveries })).toMatchObject({ markedCount: 1 });
  await webhooks.read("update delivery set queue_time = queue_time - interval '14 minutes' where state = 'due'");
  expect((await reader.listUnqueuedDeliveries({ limit: 10, isLost: true })).deliveries).toEqual([]);
  await webhooks.read("update delivery set queue_time = queue_time - interval '1 minute' where state = 'due'");
  const scheduler = webhooks.start();
  await scheduler.drain();
  expect(sink.received).toHaveLength(1);
  expect(await webhooks.states(endpoint)).toEqual({ delivered: 1 });
  await webhooks.end(endpoint);
});

test("an endpoint that has failed for three days is disabled, and what is due to it ends; one success begins anew", async () => {
  let status = 500;
  const sink = await startMerchant((_request, response) => response.writeHead(status).end());
  afterAll(() => sink.close());
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = webhooks.start();
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
