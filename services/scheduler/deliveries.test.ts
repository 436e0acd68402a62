import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, inject, test, vi } from "vitest";
import { PostponedWork } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { DeliveryOutcome } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { startTestTripe } from "../testing.ts";
import { type ReceivedRequest, startMerchant } from "../webhooks/testing/merchant.ts";
import { setupWebhooks, startSink, type TestEndpoint, urlOf, verify } from "./testing/webhooks.ts";

// T19 to T22 of 7-reliability.md.
const soakSize = inject("soakSize");
/** In milliseconds: in the soak 20,000 events are 140,000 posts and as many commits. */
const PATIENCE_MS = soakSize === 0 ? 80_000 : 3_600_000;
vi.setConfig({ testTimeout: PATIENCE_MS + 10_000 });

/** As many as the soak asks for, else what `npm test` has the time for. */
const sizeOf = (small: number) => (soakSize === 0 ? small : soakSize);

/** What the soak writes down. */
const note = (words: string) => process.stdout.write(`${words}\n`);

const tripe = await startTestTripe();
const webhooks = await setupWebhooks(tripe, { patienceMs: PATIENCE_MS });
await webhooks.read("update account set email = 'owner@example.com'");

test("T19: every delivery is accounted for, whatever the servers do, and every body verifies", async () => {
  const count = sizeOf(100);
  const fewCount = Math.max(5, Math.floor(count / 400));
  const stranger = await startSink(200);
  const makers = await startServers(stranger.port);
  const { good, failing } = makers;
  const endpoints = new Map<string, TestEndpoint>();
  for (const [name, { port }] of Object.entries(makers)) {
    // All hear of a few events, the healthy and the failing of all: what hangs costs 2 s a post.
    const eventTypes = ["good", "failing", "gone", "busy"].includes(name) ? ["*"] : ["product.created"];
    endpoints.set(name, await webhooks.createEndpoint(urlOf(port), { eventTypes }));
  }
  const scheduler = webhooks.start();
  const startMs = systemClock.preciseMs();
  await webhooks.tell(count - fewCount);
  await webhooks.tell(fewCount, { type: "product.created" });
  await scheduler.drain();
  const seconds = ((systemClock.preciseMs() - startMs) / 1_000).toFixed(1);
  const statesOf = async (name: string) => webhooks.states(endpoints.get(name) as TestEndpoint);
  expect(await statesOf("good")).toEqual({ delivered: count });
  expect(await statesOf("late")).toEqual({ delivered: fewCount });
  expect(await statesOf("huge")).toEqual({ delivered: fewCount });
  expect(await statesOf("silent")).toEqual({ dead: fewCount });
  expect(await statesOf("busy")).toEqual({ dead: count });
  expect(await statesOf("failing")).toEqual({ dead: count });
  expect(await statesOf("elsewhere")).toEqual({ dead: fewCount });
  // Those told of before it said that it was gone; it hears of no other.
  const { disabled: goneCount, ...goneOtherwise } = await statesOf("gone");
  expect(goneOtherwise).toEqual({});
  expect(goneCount).toBeGreaterThan(soakSize === 0 ? count - 1 : 0);
  expect(stranger.received).toEqual([]);
  // As Stripe's does, a body counts the endpoints that had not taken the event by then, its own among them.
  const counts = good.received.map(({ body }) => Number(JSON.parse(body.toString()).pending_webhooks));
  expect(counts.every((pending) => pending >= 1 && pending <= endpoints.size)).toBe(true);
  expect(failing.received).toHaveLength(3 * count);
  for (const [name, merchant] of Object.entries(makers)) {
    const { secret } = endpoints.get(name) as TestEndpoint;
    for (const request of merchant.received) verify(request, secret);
  }
  const posts = Object.values(makers).reduce((sum, { received }) => sum + received.length, 0);
  note(`T19: ${count} events, ${posts} posts in ${seconds} s, each verified`);
  // A later attempt posts the first one's bytes under a signature of its own.
  for (const [, [first, ...others]] of byEvent(failing.received)) {
    for (const one of others) expect(one.body).toEqual(first?.body);
  }
  const { webhookEndpointId } = endpoints.get("gone") as TestEndpoint;
  const accountId = tripe.accountId;
  const { webhookEndpoint } = await webhooks.edge.reader.getWebhookEndpoint({ accountId, webhookEndpointId });
  expect(webhookEndpoint?.isDisabled).toBe(true);
  await scheduler.run(Sweep.MAILS);
  const folder = join(tripe.config.dataDir, "mail");
  await vi.waitUntil(() => existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".eml")), {
    timeout: 30_000,
    interval: 50,
  });
  const sent = () => webhooks.read("select from mail where kind = 'disabled_endpoint' and state = 'sent'");
  await vi.waitUntil(async () => (await sent()).length === 1, { timeout: 10_000, interval: 50 });
  await scheduler.run(Sweep.MAILS);
  const mails = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  expect(mails.filter((mail) => mail.includes("Your webhook endpoint was disabled"))).toHaveLength(1);
  expect(mails[0]).toContain("owner@example.com");
  await webhooks.end(...endpoints.values());
});

/** Servers of every kind there is; one sends its events on to a stranger. */
async function startServers(strangerPort: number) {
  const late = await startMerchant((_request, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write("."), 100);
    response.on("close", () => clearInterval(drip));
  });
  const huge = await startMerchant((_request, response) => response.writeHead(200).end(Buffer.alloc(10_000_000)));
  const silent = await startMerchant(() => {});
  const busy = await startMerchant((_request, response) => response.writeHead(429, { "Retry-After": "0" }).end());
  const elsewhere = await startMerchant((_request, response) =>
    response.writeHead(302, { Location: `http://127.0.0.1:${strangerPort}/` }).end(),
  );
  afterAll(() => Promise.all([late, huge, silent, busy, elsewhere].map((one) => one.close())));
  const [good, failing, gone] = [await startSink(200), await startSink(500), await startSink(410)];
  return { good, late, huge, silent, busy, failing, gone, elsewhere };
}

test("T20: a secret rotated while events are on their way: whoever has the old one or the new one takes them all", async () => {
  const half = Math.floor(sizeOf(100) / 2);
  // The first are answered at once; those after them when there is a new secret, so that it comes between two posts.
  const rotation = Promise.withResolvers<void>();
  const sink = await startMerchant((_request, response) => {
    const isFirst = sink.received.length <= FIRST;
    void (isFirst ? Promise.resolve() : rotation.promise).then(() => response.writeHead(200).end());
  });
  afterAll(() => sink.close());
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = webhooks.start();
  await webhooks.tell(half);
  const delivering = scheduler.drain();
  await vi.waitUntil(() => sink.received.length > FIRST, { interval: 1, timeout: PATIENCE_MS });
  const rotated = await webhooks.edge.writer.rotateWebhookSecret({
    ...webhooks.key(tripe.accountId),
    webhookEndpointId: endpoint.webhookEndpointId,
    oldExpiresInSeconds: 3_600,
  });
  const beforeCount = sink.received.length;
  rotation.resolve();
  const later = new Set(await webhooks.tell(half));
  await delivering;
  await scheduler.drain();
  expect(sink.received).toHaveLength(2 * half);
  expect(beforeCount).toBeLessThan(half);
  // Whoever still has the old secret takes all of them; whoever has the new one, those told of since.
  const ids = sink.received.map((request) => verify(request, endpoint.secret).id);
  const since = sink.received.filter((_, nth) => later.has(ids[nth] ?? ""));
  expect(since.map((request) => verify(request, rotated.secret).id)).toHaveLength(half);
  note(`T20: ${sink.received.length} posts, ${beforeCount} of them before the rotation, each verified`);
  await webhooks.end(endpoint);
});

const FIRST = 5;

test("T21: events that cannot be read or rendered are dead letters, and their neighbours do not notice", async () => {
  const count = sizeOf(200);
  const times: number[] = [];
  const sink = await startMerchant((_request, response) => {
    times.push(systemClock.preciseMs());
    response.writeHead(200).end();
  });
  afterAll(() => sink.close());
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = webhooks.start();
  /** How long the slowest of a hundred waits for its post, when so many are told of at once. */
  const waitMs = async () => {
    times.length = 0;
    const startMs = systemClock.preciseMs();
    await webhooks.tell(count);
    await scheduler.drain();
    return (times[Math.floor(count * 0.99)] ?? Number.NaN) - startMs;
  };
  const healthyMs = await waitMs();
  const ids = { accountId: tripe.accountId, webhookEndpointId: endpoint.webhookEndpointId };
  // One in a hundred of the deliveries, and each kind at least once: bytes that are no message, a message without a noun, and a
  // customer that no view can be made of.
  const poison = ["\\xff", "\\x", "\\x0a00"];
  const poisoned = await webhooks.tell(Math.max(poison.length, Math.ceil(count / 100)));
  for (const [nth, eventId] of poisoned.entries()) {
    await webhooks.read(
      "update event set snapshot = $2::bytea where event_id = $1",
      eventId,
      poison[nth % poison.length],
    );
  }
  const poisonedMs = await waitMs();
  note(
    `T21: of ${count} events the 99th in a hundred was posted after ${poisonedMs.toFixed(0)} ms beside ${poisoned.length} poisoned, ${healthyMs.toFixed(0)} ms without`,
  );
  if (soakSize > 0) expect(poisonedMs).toBeLessThan(2 * healthyMs);
  expect(await webhooks.states(endpoint)).toEqual({ delivered: 2 * count, dead: poisoned.length });
  const operator = tripe.clientsOf("operator");
  const { work } = await operator.reader.listDeadWork({ limit: 100 });
  const ofEndpoint = work.filter(({ webhookEndpointId }) => webhookEndpointId === endpoint.webhookEndpointId);
  expect(ofEndpoint.map(({ objectId }) => objectId).sort()).toEqual(poisoned.slice(0, 100).sort());
  expect(ofEndpoint[0]).toMatchObject({ accountId: tripe.accountId, work: PostponedWork.WEBHOOKS });
  // Had they failed, the endpoint would be disabled some day for what is Tripe's own fault.
  const { webhookEndpoint } = await webhooks.edge.reader.getWebhookEndpoint(ids);
  expect(webhookEndpoint).toMatchObject({ failedCount: 0n });
  const { writer } = tripe.clientsOf("scheduler");
  // A try of a turn that is over changes nothing.
  const delivery = { ...ids, eventId: poisoned[0] ?? "", turn: 1 };
  const disableAfter = { seconds: 1n, nanos: 0 };
  const tries = [{ delivery, outcome: DeliveryOutcome.DELIVERED }];
  expect(await writer.recordDeliveries({ tries, disableAfter })).toMatchObject({ recordedCount: 0 });
  await webhooks.end(endpoint);
});

test("T22: dead letters redriven twice are delivered once", async () => {
  const count = sizeOf(100);
  let status = 500;
  const sink = await startMerchant((_request, response) => response.writeHead(status).end());
  afterAll(() => sink.close());
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port));
  const scheduler = webhooks.start();
  const events = await webhooks.tell(count);
  await scheduler.drain();
  expect(await webhooks.states(endpoint)).toEqual({ dead: count });
  const { reader } = webhooks.edge;
  const operator = tripe.clientsOf("operator");
  const { counts: work } = await operator.reader.countPostponedWork({});
  expect(Number(work.find((one) => one.work === PostponedWork.WEBHOOKS)?.deadCount)).toBeGreaterThanOrEqual(count);
  status = 200;
  const before = sink.received.length;
  const redrive = async () => {
    let redrivenCount = 0;
    for (let set = -1; set !== 0; redrivenCount += set) {
      set = (await operator.writer.redriveDeliveries({ limit: 500 })).redrivenCount;
    }
    return redrivenCount;
  };
  const first = await redrive();
  expect(first).toBeGreaterThanOrEqual(count);
  const eventIds = events.slice(0, 100);
  const { counts } = await reader.countPendingDeliveries({ accountId: tripe.accountId, eventIds });
  expect(Object.keys(counts)).toHaveLength(eventIds.length);
  expect(await redrive()).toBe(0);
  await scheduler.drain();
  expect(await webhooks.states(endpoint)).toEqual({ delivered: count });
  await redrive();
  await scheduler.drain();
  expect(sink.received.length - before).toBe(count);
  note(`T22: ${first} dead letters redriven, ${sink.received.length - before} posts`);
  await webhooks.end(endpoint);
});

function byEvent(received: readonly ReceivedRequest[]) {
  return Map.groupBy(received, ({ body }) => String(JSON.parse(body.toString()).id));
}
