import { afterAll, expect, test, vi } from "vitest";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
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

test("what was posted and could not be recorded at once is recorded later, and not posted again", async () => {
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
  expect(sink.received.map((request) => verify(request, endpoint.secret).id)).toEqual([eventId]);
  expect(await webhooks.states(endpoint)).toEqual({ delivered: 1 });
  await webhooks.end(endpoint);
});

test("what was posted and never recorded is posted again when its lease ends, under the same event's id", async () => {
  const sink = await startSink(200);
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const { writer } = tripe.clientsOf("scheduler");
  const deaf = { ...writer, recordDeliveries: () => Promise.reject(new Error("lost")) };
  const first = webhooks.start({ clients: { writer: deaf } });
  const [eventId] = await webhooks.tell(1);
  await first.run(Sweep.EVENTS);
  await vi.waitUntil(() => first.log.errors.some(({ message }) => message === "a row was done and not recorded"), {
    timeout: 10_000,
  });
  const second = webhooks.start();
  await second.run(Sweep.DELIVERIES);
  expect(sink.received).toHaveLength(1);
  const lease =
    "select extract(epoch from due_time - statement_timestamp())::float8 as seconds from delivery where state = 'due'";
  const [{ seconds } = { seconds: 0 }] = await webhooks.read<{ seconds: number }>(lease);
  expect(seconds).toBeGreaterThan(15);
  expect(seconds).toBeLessThanOrEqual(60);
  await webhooks.read("update delivery set due_time = statement_timestamp() where state = 'due'");
  await second.drain();
  expect(sink.received.map((request) => verify(request, endpoint.secret).id)).toEqual([eventId, eventId]);
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
