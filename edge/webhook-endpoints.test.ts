import type Stripe from "stripe";
import { afterAll, expect, test, vi } from "vitest";
import { createClient } from "../services/_database/connect-client.ts";
import { startTestScheduler } from "../services/scheduler/testing/billing.ts";
import { startMerchant } from "../services/webhooks/testing/merchant.ts";
import { failureOf } from "./testing/failure.ts";
import { startBench } from "./testing/tripe.ts";

vi.setConfig({ testTimeout: 60_000 });

const bench = await startBench();
const stripe = await bench.stripe();
const database = createClient({ url: bench.tripe.database.urls.owner, name: "tripe_test" });
await database.connect();
const merchant = await startMerchant((_request, response) => response.writeHead(200).end("ok"));
afterAll(async () => {
  await merchant.close();
  await database.end();
});

const url = `http://127.0.0.1:${merchant.port}/hook`;

test("the official SDK makes, reads, changes, lists and deletes an endpoint; the secret is in the first answer alone", async () => {
  const made = await stripe.webhookEndpoints.create(
    { url, enabled_events: ["charge.succeeded", "*"], description: "Shop", metadata: { shop: "1" } },
    { idempotencyKey: "endpoint-1" },
  );
  expect(made).toMatchObject({ object: "webhook_endpoint", url, status: "enabled", livemode: false });
  expect(made.secret).toMatch(/^whsec_[0-9A-Za-z]{32}$/);
  const again = await stripe.webhookEndpoints.create(
    { url, enabled_events: ["charge.succeeded", "*"], description: "Shop", metadata: { shop: "1" } },
    { idempotencyKey: "endpoint-1" },
  );
  expect(again).toEqual(made);
  const read = await stripe.webhookEndpoints.retrieve(made.id);
  const { secret: _, ...rest } = made;
  expect(read).toEqual(rest);
  const changed = await stripe.webhookEndpoints.update(made.id, {
    disabled: true,
    enabled_events: ["customer.created"],
    metadata: { shop: "", till: "2" },
    description: "",
  });
  expect(changed).toMatchObject({ status: "disabled", enabled_events: ["customer.created"], description: null });
  expect(changed.metadata).toEqual({ till: "2" });
  expect(await stripe.webhookEndpoints.update(made.id, { disabled: false })).toMatchObject({ status: "enabled" });
  const page = await stripe.webhookEndpoints.list();
  expect(page.data.map(({ id }) => id)).toEqual([made.id]);
  expect(page.data[0]).not.toHaveProperty("secret");
  expect(await stripe.webhookEndpoints.del(made.id)).toEqual({
    id: made.id,
    object: "webhook_endpoint",
    deleted: true,
  });
  await expect(stripe.webhookEndpoints.retrieve(made.id)).rejects.toMatchObject({ statusCode: 404 });
  expect((await stripe.webhookEndpoints.list()).data).toEqual([]);
});

test("a URL that no event will ever be posted to is refused by name", async () => {
  const create = (hook: string) => stripe.webhookEndpoints.create({ url: hook, enabled_events: ["*"] });
  for (const hook of [
    "ftp://example.com/hook",
    "example.com/hook",
    "http://user:secret@example.com/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:127.0.0.1]/",
    "http://0x0a.0.0.1/",
    `https://example.com/${"x".repeat(2_048)}`,
  ]) {
    await expect(create(hook), hook).rejects.toMatchObject({ statusCode: 400, param: "url" });
  }
});

test("this machine is refused where the setting says so, under every name it has", async () => {
  const { checkUrl } = await import("./actions/webhooks/check-url.ts");
  for (const hook of [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://x.localhost./",
    "http://[::1]/",
    "http://2130706433/",
  ]) {
    const check = (loopback: "yes" | "no" | "sandbox", isLive: boolean, closedPorts: number[] = []) =>
      checkUrl(hook, { reach: { loopback, closedPorts }, isLive });
    expect(() => check("no", false), hook).toThrow(/publicly accessible/);
    expect(() => check("sandbox", true), hook).toThrow(/publicly accessible/);
    expect(() => check("sandbox", false), hook).not.toThrow();
    expect(() => check("yes", true), hook).not.toThrow();
    expect(() => check("yes", false, [80]), hook).toThrow(/must not lead to a port of Tripe itself/);
  }
  const closed = { loopback: "no", closedPorts: [443] } as const;
  expect(() => checkUrl("https://example.com/hook", { reach: closed, isLive: true })).not.toThrow();
});

test("an account has sixteen endpoints at most, also when they are made at once", async () => {
  const live = bench.tripe.liveAccountId;
  const clients = bench.tripe.clientsOf("edge");
  const make = (index: number) =>
    clients.writer.createWebhookEndpoint({
      ...{ accountId: live, requestId: `many-${index}`, requestDigest: new Uint8Array([1]) },
      webhookEndpoint: { webhookEndpointId: `we_many${index}`, url, eventTypes: ["*"] },
    });
  const made = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => make(index)));
  expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(16);
  const answers = await Promise.all(
    Array.from({ length: 17 }, () =>
      bench.ask({ method: "POST", url: "/v1/webhook_endpoints", payload: { url, enabled_events: ["*"] } }),
    ),
  );
  const refused = answers.filter(({ status }) => status === 400);
  expect(refused).toHaveLength(1);
  expect(refused[0]?.body.error).toMatchObject({ message: "You have reached the maximum of 16 webhook endpoints." });
  for (const { body } of answers) if (typeof body["id"] === "string") await stripe.webhookEndpoints.del(body["id"]);
});

test("a type of event that Tripe never sends is refused, when an endpoint is made and when it is changed", async () => {
  const { id } = await stripe.webhookEndpoints.create({ url, enabled_events: ["*"] });
  for (const type of ["charge.suceeded", "customer.subscription.trial_will_end", "charge.*", "Charge.succeeded"]) {
    const enabled_events: Stripe.WebhookEndpointCreateParams.EnabledEvent[] = ["charge.succeeded", type as "*"];
    const works = [
      () => stripe.webhookEndpoints.create({ url, enabled_events }),
      () => stripe.webhookEndpoints.update(id, { enabled_events }),
    ];
    for (const work of works) {
      const { statusCode, message, param } = await failureOf(work());
      expect([statusCode, param], type).toEqual([400, "enabled_events[1]"]);
      expect(message).toMatch(/must be one of .*charge\.succeeded/);
    }
  }
  await stripe.webhookEndpoints.del(id);
});

test("another account's endpoint is not there", async () => {
  const [row] = (
    await database.query("select webhook_endpoint_id as id from webhook_endpoint where account_id = $1 limit 1", [
      bench.tripe.liveAccountId,
    ])
  ).rows as { id: string }[];
  const id = row?.id ?? "";
  await expect(stripe.webhookEndpoints.retrieve(id)).rejects.toMatchObject({
    statusCode: 404,
    code: "resource_missing",
  });
  await expect(stripe.webhookEndpoints.update(id, { disabled: true })).rejects.toMatchObject({ statusCode: 404 });
  await expect(stripe.webhookEndpoints.del(id)).rejects.toMatchObject({ statusCode: 404 });
  await expect(stripe.rawRequest("POST", `/v1/webhook_endpoints/${id}/rotate_secret`)).rejects.toMatchObject({
    statusCode: 404,
  });
});

test("an edge of another action serves them too", async () => {
  const edge = bench.edgeOf(["returns"]);
  expect((await edge.ask({ method: "GET", url: "/v1/webhook_endpoints" })).status).toBe(200);
});

test("events come signed, as the SDK wants them; a retired secret signs until it expires; by hand they come again", async () => {
  const scheduler = startTestScheduler(bench.tripe, { ticks: true });
  const made = await stripe.webhookEndpoints.create({ url, enabled_events: ["customer.created"] });
  const first = made.secret ?? "";
  const customer = await stripe.customers.create({ email: "ann@example.com" });
  await vi.waitUntil(() => merchant.received.length >= 1, { timeout: 20_000 });
  const event = verified(0, first);
  expect(event).toMatchObject({ type: "customer.created", data: { object: { id: customer.id } } });

  const rotated = (await stripe.rawRequest("POST", `/v1/webhook_endpoints/${made.id}/rotate_secret`, {
    expires_in: 3_600,
  })) as Stripe.WebhookEndpoint;
  expect(rotated.secret).toMatch(/^whsec_/);
  expect(rotated.secret).not.toBe(first);
  const retried = (await stripe.rawRequest("POST", `/v1/events/${event.id}/retry`, {
    webhook_endpoint: made.id,
  })) as Stripe.Event;
  expect(retried).toMatchObject({ id: event.id, object: "event", pending_webhooks: 1 });
  await vi.waitUntil(() => merchant.received.length >= 2, { timeout: 20_000 });
  expect(verified(1, first)).toEqual(event);
  expect(verified(1, rotated.secret ?? "")).toEqual(event);
  expect(merchant.received[1]?.body).toEqual(merchant.received[0]?.body);

  await stripe.rawRequest("POST", `/v1/webhook_endpoints/${made.id}/rotate_secret`, { expires_in: 0 });
  await stripe.customers.create({});
  await vi.waitUntil(() => merchant.received.length >= 3, { timeout: 20_000 });
  // What was replaced at once signs nothing, and neither does what was replaced the time before and has not expired.
  expect(() => verified(2, rotated.secret ?? "")).toThrow(/signature/);
  expect(verified(2, first).type).toBe("customer.created");

  await stripe.webhookEndpoints.update(made.id, { disabled: true });
  await expect(
    stripe.rawRequest("POST", `/v1/events/${event.id}/retry`, { webhook_endpoint: made.id }),
  ).rejects.toMatchObject({ statusCode: 400, param: "webhook_endpoint" });
  await expect(
    stripe.rawRequest("POST", `/v1/events/evt_none/retry`, { webhook_endpoint: made.id }),
  ).rejects.toMatchObject({ statusCode: 400 });
  await scheduler.stop();
});

test("no table that others may read, no log and no event holds a secret", async () => {
  const { rows } = await database.query("select secret from webhook_secret limit 100");
  expect(rows.length).toBeGreaterThan(0);
  for (const { secret } of rows) expect(secret).toBe(null);
  const lines = JSON.stringify(bench.log.rpcs) + JSON.stringify(bench.log.errors);
  expect(lines).not.toMatch(/whsec_[0-9A-Za-z]{32}/);
  const { rows: kept } = await database.query(
    `select 1 from idempotency where position('whsec_'::bytea in answer) > 0
     union all select 1 from event where position('whsec_'::bytea in snapshot) > 0
     union all select 1 from webhook_secret where position('whsec_'::bytea in sealed_secret) > 0`,
  );
  expect(kept).toEqual([]);
});

/** The request's event, as the SDK verifies it. */
function verified(index: number, secret: string): Stripe.Event {
  const request = merchant.received[index];
  if (request === undefined) throw new Error("the request is there");
  return stripe.webhooks.constructEvent(request.body, String(request.headers["stripe-signature"]), secret);
}
