import type Stripe from "stripe";
import { afterAll, expect, test, vi } from "vitest";
import { createClient } from "../services/_database/connect-client.ts";
import { startTestScheduler } from "../services/scheduler/testing/billing.ts";
import { startMerchant } from "../services/webhooks/testing/merchant.ts";
import { startBench } from "./testing/tripe.ts";

vi.setConfig({ testTimeout: 60_000 });

// What a merchant sees of its endpoints: the version of their events, since when they hear, and how deliveries end.
const bench = await startBench();
const stripe = await bench.stripe();
const database = createClient({ url: bench.tripe.database.urls.owner, name: "tripe_test" });
await database.connect();
let status = 200;
const merchant = await startMerchant((_request, response) => response.writeHead(status).end("ok"));
afterAll(async () => {
  await merchant.close();
  await database.end();
});

const url = `http://127.0.0.1:${merchant.port}/hook`;
const form = { "content-type": "application/x-www-form-urlencoded" };

interface Endpoint {
  readonly id: string;
  readonly api_version: string;
  readonly status: string;
  readonly disabled_reason: string | null;
  readonly deliveries: { delivered: number; failed_attempts: number; last_failure: object | null };
}

function create(more = "", headers: Record<string, string> = {}) {
  const payload = `url=${encodeURIComponent(url)}&enabled_events[]=customer.created${more}`;
  return bench.ask({ method: "POST", url: "/v1/webhook_endpoints", payload, headers: { ...form, ...headers } });
}

async function get<Shape>(path: string): Promise<Shape> {
  return (await bench.ask({ method: "GET", url: path })).body as Shape;
}

const endpointOf = (id: string) => get<Endpoint>(`/v1/webhook_endpoints/${id}`);
const deliveriesOf = (eventId: string) =>
  get<{ data: { webhook_endpoint: string; status: string }[] }>(`/v1/events/${eventId}/deliveries`);

async function removeAll(): Promise<void> {
  for (const { id } of (await stripe.webhookEndpoints.list()).data) await stripe.webhookEndpoints.del(id);
}

/** Makes a customer and waits until its event has come to so many requests more. */
async function tell(count: number): Promise<{ eventId: string; bodies: Stripe.Event[] }> {
  const before = merchant.received.length;
  const scheduler = startTestScheduler(bench.tripe, { ticks: true });
  const { id } = await stripe.customers.create({});
  await vi.waitUntil(() => merchant.received.length >= before + count, { timeout: 20_000 });
  await scheduler.stop();
  const bodies = merchant.received.slice(before).map(({ body }) => JSON.parse(body.toString()) as Stripe.Event);
  const [event] = (await stripe.events.list({ type: "customer.created", limit: 1 })).data;
  expect(event?.data.object).toMatchObject({ id });
  return { eventId: event?.id ?? "", bodies };
}

test("an endpoint keeps the version that it was made with, and its events bear it", async () => {
  const wanted: [more: string, headers: Record<string, string>, version: string][] = [
    ["", {}, "2026-10-28.endive"],
    ["", { "stripe-version": "2019-12-03" }, "2019-12-03"],
    ["", { "stripe-version": "2025-03-31.basil" }, "2025-03-31.basil"],
    ["", { "stripe-version": "2024-06-20; custom_checkout_beta=v1" }, "2024-06-20"],
    ["&api_version=2020-08-27", {}, "2020-08-27"],
    ["&api_version=2024-09-30.acacia", { "stripe-version": "2026-10-28.endive" }, "2024-09-30.acacia"],
  ];
  const ids: string[] = [];
  for (const [more, headers, version] of wanted) {
    const { status: made, body } = await create(more, headers);
    expect([made, body["api_version"]]).toEqual([200, version]);
    expect((await endpointOf(String(body["id"]))).api_version).toBe(version);
    ids.push(String(body["id"]));
  }
  const { eventId, bodies } = await tell(wanted.length);
  expect(bodies.map((event) => event.api_version).sort()).toEqual(wanted.map(([, , version]) => version).sort());
  expect(bodies.map(({ id }) => id)).toEqual(wanted.map(() => eventId));
  const { data } = await deliveriesOf(eventId);
  expect(new Set(data.map((one) => one.webhook_endpoint))).toEqual(new Set(ids));
  await removeAll();
});

test.each([
  "2025-02-30",
  "2025-13-01",
  "latest",
  "2026-10-28.Endive",
  "20261028",
  "2026-10-28.endive.x",
  "2026-10-28endive",
])("what is no version is refused, given or in the header: %s", async (version) => {
  const given = await create(`&api_version=${version}`);
  expect([given.status, given.body.error]).toMatchObject([400, { param: "api_version" }]);
  const asked = await create("", { "stripe-version": version });
  expect([asked.status, asked.body.error?.["message"]]).toEqual([400, expect.stringContaining(version)]);
});

test("an endpoint hears only of what happens after it was made", async () => {
  const early = await create();
  // The scheduler takes events up later than they happen: until then endpoints are made.
  const { id: before } = await stripe.customers.create({});
  const late = await create();
  const { id: after } = await stripe.customers.create({});
  const scheduler = startTestScheduler(bench.tripe, { ticks: true });
  const received = merchant.received.length;
  await vi.waitUntil(() => merchant.received.length >= received + 3, { timeout: 20_000 });
  await scheduler.stop();
  const { rows } = await database.query<{ webhook_endpoint_id: string; object_id: string }>(
    `select d.webhook_endpoint_id, e.object_id from delivery d join event e using (account_id, event_id)
      where e.object_id in ($1, $2) order by e.event_id`,
    [before, after],
  );
  const heard = (id: unknown) => rows.filter((row) => row.webhook_endpoint_id === id).map((row) => row.object_id);
  expect(heard(early.body["id"])).toEqual([before, after]);
  expect(heard(late.body["id"])).toEqual([after]);
  await removeAll();
});

test("a delivery that fails shows on its endpoint and on its event, until it is taken", async () => {
  const id = String((await create()).body["id"]);
  expect((await endpointOf(id)).deliveries).toEqual({ delivered: 0, failed_attempts: 0, last_failure: null });
  status = 500;
  const { eventId } = await tell(1);
  status = 200;
  const failing = await endpointOf(id);
  expect(failing).toMatchObject({ status: "enabled", disabled_reason: null, deliveries: { delivered: 0 } });
  expect(failing.deliveries.failed_attempts).toBeGreaterThanOrEqual(1);
  expect(failing.deliveries.last_failure).toEqual({
    created: expect.any(Number),
    message: "the server answered 500",
    status: 500,
  });
  const [delivery] = (await deliveriesOf(eventId)).data;
  expect(delivery).toMatchObject({
    object: "event_delivery",
    event: eventId,
    webhook_endpoint: id,
    url,
    status: "pending",
    failed_attempts: expect.any(Number),
    last_attempt: { created: expect.any(Number), error: "the server answered 500", status: 500 },
    next_attempt: expect.any(Number),
  });
  const scheduler = startTestScheduler(bench.tripe, { ticks: true });
  await stripe.rawRequest("POST", `/v1/events/${eventId}/retry`, { webhook_endpoint: id });
  await vi.waitUntil(async () => (await endpointOf(id)).deliveries.delivered === 1, { timeout: 20_000 });
  await scheduler.stop();
  expect((await deliveriesOf(eventId)).data).toMatchObject([
    { status: "delivered", next_attempt: null, last_attempt: { error: null, status: 200 } },
  ]);
  expect((await endpointOf(id)).deliveries.last_failure).toMatchObject({ status: 500 });
  await removeAll();
});

test("an endpoint whose address is refused is disabled, says why, and is sent what it missed once it is mended", async () => {
  // Names that led elsewhere when the endpoint was made.
  const urls = ["http://10.1.2.3/hook", "http://169.254.169.254/hook", "http://[fd00::1]/hook"];
  const ids: string[] = [];
  for (const _ of urls) ids.push(String((await create()).body["id"]));
  for (const [place, address] of urls.entries()) {
    await database.query("update webhook_endpoint set url = $2 where webhook_endpoint_id = $1", [ids[place], address]);
  }
  const scheduler = startTestScheduler(bench.tripe, { ticks: true });
  await stripe.customers.create({});
  const allOf = () => Promise.all(ids.map(endpointOf));
  await vi.waitUntil(async () => (await allOf()).every((one) => one.status === "disabled"), { timeout: 20_000 });
  for (const endpoint of await allOf()) {
    expect(endpoint).toMatchObject({
      disabled_reason: "address_refused",
      deliveries: {
        failed_attempts: 1,
        last_failure: { message: "the host's address is not public", status: null },
      },
    });
  }
  const [id = ""] = ids;
  const received = merchant.received.length;
  expect(await stripe.webhookEndpoints.update(id, { url, disabled: false })).toMatchObject({
    status: "enabled",
    disabled_reason: null,
  });
  await vi.waitUntil(() => merchant.received.length > received, { timeout: 20_000 });
  await scheduler.stop();
  await removeAll();
});

test("deliveries of an event that is not there are a 404, and of one without endpoints an empty list", async () => {
  const none = await bench.ask({ method: "GET", url: "/v1/events/evt_none/deliveries" });
  expect([none.status, none.body.error]).toMatchObject([404, { code: "resource_missing", param: "id" }]);
  await stripe.products.create({ name: "Gold" });
  const [event] = (await stripe.events.list({ limit: 1 })).data;
  expect(await deliveriesOf(event?.id ?? "")).toMatchObject({ object: "list", data: [], has_more: false });
});
