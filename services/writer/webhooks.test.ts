import { expect, test, vi } from "vitest";
import { EventDeliveryState } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { unsealText } from "../_runtime/seal.ts";
import { setupWebhooks } from "../scheduler/testing/webhooks.ts";
import { startTestTripe } from "../testing.ts";

vi.setConfig({ testTimeout: 30_000 });

const tripe = await startTestTripe();
const { accountId, liveAccountId } = tripe;
const webhookKeys = openKeys({ kind: "webhook", file: keyFile(tripe.config.dataDir, "webhook"), clock: systemClock });
const webhooks = await setupWebhooks(tripe);
const { reader, writer } = tripe.clientsOf("scheduler");
const operator = tripe.clientsOf("operator");
const { edge } = webhooks;
const key = () => webhooks.key(accountId);
const reasonOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => refusalOf(error)?.reason,
  );
const url = "https://example.com/hook";
/** Takes up all that waits, as the scheduler's sweep does. */
const takeUp = async () => {
  const { events } = await reader.listUndispatchedEvents({ limit: 500 });
  await writer.markEventsDispatched({
    events: events.map((one) => ({ accountId: one.accountId, eventId: one.eventId })),
  });
};

test("updateWebhookEndpoint changes what the mask names, and a disabled endpoint hears of nothing", async () => {
  const { webhookEndpointId } = await webhooks.createEndpoint(url, { eventTypes: ["customer.created"] });
  const [eventId = ""] = await webhooks.tell(1);
  await writer.markEventsDispatched({ events: [{ accountId, eventId }] });
  expect((await reader.listUnqueuedDeliveries({ limit: 10 })).deliveries).toMatchObject([
    { accountId, eventId, webhookEndpointId, turn: 1 },
  ]);
  const change = { webhookEndpointId, isDisabled: true, url: "https://example.org" };
  const changed = await edge.writer.updateWebhookEndpoint({
    ...key(),
    webhookEndpoint: change,
    updateMask: { paths: ["is_disabled"] },
  });
  expect(changed.webhookEndpoint).toMatchObject({ isDisabled: true, url });
  expect((await reader.listUnqueuedDeliveries({ limit: 10 })).deliveries).toEqual([]);
  const retry = { ...key(), eventId, webhookEndpointId };
  expect(await reasonOf(edge.writer.retryDelivery(retry))).toBe("WEBHOOK_ENDPOINT_DISABLED");
  const [later = ""] = await webhooks.tell(1);
  await writer.markEventsDispatched({ events: [{ accountId, eventId: later }] });
  expect((await reader.listUnqueuedDeliveries({ limit: 10 })).deliveries).toEqual([]);
});

test("updateWebhookEndpoint makes due again, in a new turn, what an enabled endpoint missed of the last three days", async () => {
  const { webhookEndpointId } = await webhooks.createEndpoint(url, { eventTypes: ["product.created"] });
  const [eventId = "", old = ""] = await webhooks.tell(2, { type: "product.created" });
  await takeUp();
  await webhooks.read("update delivery set create_time = create_time - interval '73 hours' where event_id = $1", old);
  const set = (isDisabled: boolean) => {
    const webhookEndpoint = { webhookEndpointId, isDisabled };
    return edge.writer.updateWebhookEndpoint({ ...key(), webhookEndpoint, updateMask: { paths: ["is_disabled"] } });
  };
  await set(true);
  await set(false);
  await set(false);
  const mine = async () =>
    (await reader.listUnqueuedDeliveries({ limit: 500 })).deliveries.filter(
      (one) => one.webhookEndpointId === webhookEndpointId,
    );
  expect(await mine()).toMatchObject([{ eventId, turn: 2 }]);
  await edge.writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
  expect(await mine()).toEqual([]);
});

test("retryDelivery makes an event due again in a turn of its own, once per request", async () => {
  const { webhookEndpointId } = await webhooks.createEndpoint(url, { eventTypes: ["price.created"] });
  const [eventId = ""] = await webhooks.tell(1);
  const request = { ...key(), eventId, webhookEndpointId };
  expect(await edge.writer.retryDelivery(request)).toMatchObject({ isReplayed: false });
  expect(await edge.writer.retryDelivery(request)).toMatchObject({ isReplayed: true });
  await edge.writer.retryDelivery({ ...request, requestId: createId("req_") });
  const { deliveries } = await reader.listUnqueuedDeliveries({ limit: 10 });
  expect(deliveries).toMatchObject([{ eventId, webhookEndpointId, turn: 2 }]);
  expect(await reasonOf(edge.writer.retryDelivery({ ...key(), eventId: "evt_0", webhookEndpointId }))).toBe(
    "EVENT_NOT_FOUND",
  );
  expect(await reasonOf(edge.writer.retryDelivery({ ...key(), eventId, webhookEndpointId: "we_0" }))).toBe(
    "WEBHOOK_ENDPOINT_NOT_FOUND",
  );
  expect(await writer.redriveDeliveries({ limit: 500 })).toMatchObject({ redrivenCount: 0 });
  await edge.writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
});

test("listEventDeliveries shows how far an event has come to each endpoint, and no event of another account", async () => {
  const { webhookEndpointId } = await webhooks.createEndpoint(url, { eventTypes: ["customer.created"] });
  const [eventId = ""] = await webhooks.tell(1);
  await writer.markEventsDispatched({ events: [{ accountId, eventId }] });
  const { deliveries } = await edge.reader.listEventDeliveries({ accountId, eventId });
  expect(deliveries.filter((one) => one.webhookEndpointId === webhookEndpointId)).toMatchObject([
    { url, state: EventDeliveryState.DUE, failedCount: 0, status: 0, problem: "" },
  ]);
  const theirs = edge.reader.listEventDeliveries({ accountId: liveAccountId, eventId });
  expect(await reasonOf(theirs)).toBe("EVENT_NOT_FOUND");
  await edge.writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
});

test("getOriginalRequest knows no request that was not carried out", async () => {
  const asked = { accountId, requestId: "never-seen" };
  expect(await edge.reader.getOriginalRequest(asked)).toMatchObject({ publicRequestId: "" });
});

test("listUnqueuedDeliveries and listUndispatchedEvents take accounts in turn", async () => {
  await webhooks.createEndpoint(url);
  await webhooks.createEndpoint(url, { accountId: liveAccountId });
  await takeUp();
  for (const { eventId, webhookEndpointId, turn } of (await reader.listUnqueuedDeliveries({ limit: 500 })).deliveries) {
    await writer.markDeliveriesQueued({ deliveries: [{ accountId, eventId, webhookEndpointId, turn }] });
  }
  await webhooks.tell(30);
  await webhooks.tell(3, { accountId: liveAccountId });
  const accountsOf = (rows: readonly { accountId: string }[]) => rows.filter((row) => row.accountId === liveAccountId);
  const { events } = await reader.listUndispatchedEvents({ limit: 8 });
  expect(accountsOf(events)).toHaveLength(3);
  await takeUp();
  const { deliveries } = await reader.listUnqueuedDeliveries({ limit: 8 });
  expect(accountsOf(deliveries)).toHaveLength(3);
});

test("createWebhookEndpoint refuses the seventeenth, and listWebhookEndpoints shows those of the account alone", async () => {
  const before = (await edge.reader.listWebhookEndpoints({ accountId, pageSize: 100 })).webhookEndpoints.length;
  for (let count = before; count < 16; count += 1) await webhooks.createEndpoint(url);
  expect(await reasonOf(webhooks.createEndpoint(url))).toBe("WEBHOOK_ENDPOINTS_TOO_MANY");
  const { webhookEndpoints } = await edge.reader.listWebhookEndpoints({ accountId, pageSize: 100 });
  expect(webhookEndpoints).toHaveLength(16);
});

test("the secrets of a delivery are for the scheduler alone, and a rotated one is among them until it expires", async () => {
  const [first] = (await edge.reader.listWebhookEndpoints({ accountId, pageSize: 1 })).webhookEndpoints;
  const webhookEndpointId = first?.webhookEndpointId ?? "";
  const [eventId = ""] = await webhooks.tell(1);
  await edge.writer.retryDelivery({ ...key(), eventId, webhookEndpointId });
  const ids = { accountId, eventId, webhookEndpointId };
  const secrets = async () =>
    (await reader.getDelivery(ids)).sealedSecrets.map((sealed) =>
      unsealText(webhookKeys, sealed, { accountId, objectId: webhookEndpointId }),
    );
  expect(await secrets()).toHaveLength(1);
  const rotate = { ...key(), webhookEndpointId, oldExpiresInSeconds: 60 };
  const { secret } = await edge.writer.rotateWebhookSecret(rotate);
  expect(await edge.writer.rotateWebhookSecret(rotate)).toMatchObject({ isReplayed: true, secret });
  expect(await secrets()).toEqual([secret, expect.stringMatching(/^whsec_/)]);
  await webhooks.read("update webhook_secret set expire_time = statement_timestamp() where expire_time is not null");
  expect(await secrets()).toEqual([secret]);
  expect(await reasonOf(reader.getDelivery({ ...ids, eventId: "evt_0" }))).toBe("DELIVERY_NOT_FOUND");
});

test("rotateWebhookSecret refuses a fifth secret while four sign, and takes it when one has expired", async () => {
  const [, second] = (await edge.reader.listWebhookEndpoints({ accountId, pageSize: 2 })).webhookEndpoints;
  const webhookEndpointId = second?.webhookEndpointId ?? "";
  const rotate = () => edge.writer.rotateWebhookSecret({ ...key(), webhookEndpointId, oldExpiresInSeconds: 86_400 });
  for (let count = 1; count < 4; count += 1) await rotate();
  expect(await reasonOf(rotate())).toBe("WEBHOOK_SECRETS_TOO_MANY");
  await webhooks.read(
    "update webhook_secret set expire_time = statement_timestamp() where expire_time is not null and webhook_endpoint_id = $1",
    webhookEndpointId,
  );
  expect(await reasonOf(rotate())).toBeUndefined();
});

test("countDeliveries counts of the dead those that a redrive takes", async () => {
  const [first] = (await edge.reader.listWebhookEndpoints({ accountId, pageSize: 1 })).webhookEndpoints;
  const webhookEndpointId = first?.webhookEndpointId ?? "";
  const [eventId = ""] = await webhooks.tell(1);
  await edge.writer.retryDelivery({ ...key(), eventId, webhookEndpointId });
  await webhooks.read("update delivery set state = 'dead', due_time = null where event_id = $1", eventId);
  const { deadCount } = await operator.reader.countDeliveries({});
  await edge.writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
  expect((await operator.reader.countDeliveries({})).deadCount).toBe(deadCount - 1n);
});
