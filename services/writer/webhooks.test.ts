import { expect, test, vi } from "vitest";
import { EventDeliveryState, PostponedWork } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import type { LeasedDelivery } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { unsealText } from "../_runtime/seal.ts";
import { setupWebhooks, type TestEndpoint } from "../scheduler/testing/webhooks.ts";
import { startTestTripe } from "../testing.ts";

vi.setConfig({ testTimeout: 30_000 });

const tripe = await startTestTripe();
const { accountId, liveAccountId } = tripe;
const webhookKeys = openKeys({ kind: "webhook", file: keyFile(tripe.config.dataDir, "webhook"), clock: systemClock });
const webhooks = await setupWebhooks(tripe);
const { writer } = tripe.clientsOf("scheduler");
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
  while ((await writer.dispatchEvents({ limit: 500 })).takenCount > 0);
};
/** What is due, without leasing it; the longest due first. */
const due = (webhookEndpointId: string) =>
  webhooks.read<{ event_id: string; turn: number }>(
    "select event_id, turn from delivery where webhook_endpoint_id = $1 and state = 'due' order by due_time, event_id",
    webhookEndpointId,
  );
const wide = { endpointMax: 100, accountMax: 100 };

test("updateWebhookEndpoint changes what the mask names, and a disabled endpoint hears of nothing", async () => {
  const { webhookEndpointId } = await webhooks.createEndpoint(url, { eventTypes: ["customer.created"] });
  const [eventId = ""] = await webhooks.tell(1);
  await takeUp();
  expect(await due(webhookEndpointId)).toEqual([{ event_id: eventId, turn: 1 }]);
  const change = { webhookEndpointId, isDisabled: true, url: "https://example.org" };
  const changed = await edge.writer.updateWebhookEndpoint({
    ...key(),
    webhookEndpoint: change,
    updateMask: { paths: ["is_disabled"] },
  });
  expect(changed.webhookEndpoint).toMatchObject({ isDisabled: true, url });
  expect(await due(webhookEndpointId)).toEqual([]);
  const retry = { ...key(), eventId, webhookEndpointId };
  expect(await reasonOf(edge.writer.retryDelivery(retry))).toBe("WEBHOOK_ENDPOINT_DISABLED");
  await webhooks.tell(1);
  await takeUp();
  expect(await due(webhookEndpointId)).toEqual([]);
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
  expect(await due(webhookEndpointId)).toEqual([{ event_id: eventId, turn: 2 }]);
  await edge.writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
  expect(await due(webhookEndpointId)).toEqual([]);
});

test("retryDelivery makes an event due again in a turn of its own, once per request", async () => {
  const { webhookEndpointId } = await webhooks.createEndpoint(url, { eventTypes: ["price.created"] });
  const [eventId = ""] = await webhooks.tell(1);
  const request = { ...key(), eventId, webhookEndpointId };
  expect(await edge.writer.retryDelivery(request)).toMatchObject({ isReplayed: false });
  expect(await edge.writer.retryDelivery(request)).toMatchObject({ isReplayed: true });
  await edge.writer.retryDelivery({ ...request, requestId: createId("req_") });
  expect(await due(webhookEndpointId)).toEqual([{ event_id: eventId, turn: 2 }]);
  expect(await reasonOf(edge.writer.retryDelivery({ ...key(), eventId: "evt_0", webhookEndpointId }))).toBe(
    "EVENT_NOT_FOUND",
  );
  expect(await reasonOf(edge.writer.retryDelivery({ ...key(), eventId, webhookEndpointId: "we_0" }))).toBe(
    "WEBHOOK_ENDPOINT_NOT_FOUND",
  );
  expect(await operator.writer.redriveDeliveries({ limit: 500 })).toMatchObject({ redrivenCount: 0 });
  await edge.writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
});

test("listEventDeliveries shows how far an event has come to each endpoint, and no event of another account", async () => {
  const { webhookEndpointId } = await webhooks.createEndpoint(url, { eventTypes: ["customer.created"] });
  const [eventId = ""] = await webhooks.tell(1);
  await takeUp();
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

test("dispatchEvents and leaseDeliveries take accounts in turn, and endpoints, up to what their caller has room for", async () => {
  const [slow, quick] = [await webhooks.createEndpoint(url), await webhooks.createEndpoint(url)];
  const other = await webhooks.createEndpoint(url, { accountId: liveAccountId });
  await webhooks.tell(30);
  await webhooks.tell(3, { accountId: liveAccountId });
  const dispatched = await writer.dispatchEvents({ limit: 8 });
  expect(dispatched).toMatchObject({ takenCount: 8, deliveryCount: 5 * 2 + 3, mailCount: 0 });
  await takeUp();
  const countOf = (all: readonly LeasedDelivery[]) => (one: TestEndpoint) =>
    all.filter(({ delivery }) => delivery?.webhookEndpointId === one.webhookEndpointId).length;
  const first = await writer.leaseDeliveries({ limit: 8, ...wide });
  const firstCounts = [slow, quick, other].map(countOf(first.deliveries));
  expect(firstCounts.toSorted()).toEqual([2, 3, 3]);
  expect(firstCounts[2]).toBe(3);
  expect(first.hasMore).toBe(true);
  // Nothing is leased twice, and each lease is a turn.
  const loads = [{ accountId, webhookEndpointId: slow.webhookEndpointId, count: 3 }];
  const second = await writer.leaseDeliveries({ limit: 20, endpointMax: 4, accountMax: 64, loads });
  expect([slow, quick, other].map(countOf(second.deliveries))).toEqual([1, 4, 0]);
  const third = await writer.leaseDeliveries({ limit: 20, endpointMax: 32, accountMax: 10, loads });
  expect(third.deliveries).toHaveLength(7);
  const all = [...first.deliveries, ...second.deliveries, ...third.deliveries];
  expect(new Set(all.map(({ delivery }) => `${delivery?.eventId} ${delivery?.webhookEndpointId}`)).size).toBe(20);
  expect(all.every(({ delivery, leaseCount }) => delivery?.turn === 2 && leaseCount === 1)).toBe(true);
  // Two that lease at once share what is due.
  const both = await Promise.all([1, 2].map(() => writer.leaseDeliveries({ limit: 8, ...wide })));
  const ids = both.flatMap(({ deliveries }) =>
    deliveries.map(({ delivery }) => `${delivery?.eventId} ${delivery?.webhookEndpointId}`),
  );
  expect(new Set(ids).size).toBe(ids.length);
  await webhooks.end(slow, quick, other);
  expect((await writer.leaseDeliveries({ limit: 8, ...wide })).deliveries).toEqual([]);
});

test("what a lease brings is a mebibyte at most, or one delivery that is larger", async () => {
  const endpoint = await webhooks.createEndpoint(url);
  const events = await webhooks.tell(4);
  await takeUp();
  const enlarge = (eventId: string, bytes: number) =>
    webhooks.read("update delivery set body = decode(repeat('00', $2), 'hex') where event_id = $1", eventId, bytes);
  for (const eventId of events.slice(0, 3)) await enlarge(eventId, 600_000);
  const lease = async () =>
    (await writer.leaseDeliveries({ limit: 8, ...wide })).deliveries.map((one) => one.body.length);
  expect(await lease()).toEqual([600_000]);
  expect(await lease()).toEqual([600_000]);
  expect(await lease()).toEqual([600_000, 0]);
  await webhooks.end(endpoint);
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
  const leased = async () => {
    await webhooks.read(
      "update delivery set due_time = statement_timestamp() where event_id = $1 and state = 'due'",
      eventId,
    );
    const { deliveries } = await writer.leaseDeliveries({ limit: 8, ...wide });
    return deliveries.find(({ delivery }) => delivery?.webhookEndpointId === webhookEndpointId);
  };
  const secrets = async () =>
    (await leased())?.sealedSecrets.map((sealed) =>
      unsealText(webhookKeys, sealed, { accountId, objectId: webhookEndpointId }),
    );
  expect(await secrets()).toHaveLength(1);
  const rotate = { ...key(), webhookEndpointId, oldExpiresInSeconds: 60 };
  const { secret } = await edge.writer.rotateWebhookSecret(rotate);
  expect(await edge.writer.rotateWebhookSecret(rotate)).toMatchObject({ isReplayed: true, secret });
  expect(await secrets()).toEqual([secret, expect.stringMatching(/^whsec_/)]);
  await webhooks.read("update webhook_secret set expire_time = statement_timestamp() where expire_time is not null");
  expect(await secrets()).toEqual([secret]);
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

test("countPostponedWork and listDeadWork know of the dead those that a redrive takes", async () => {
  const [first] = (await edge.reader.listWebhookEndpoints({ accountId, pageSize: 1 })).webhookEndpoints;
  const webhookEndpointId = first?.webhookEndpointId ?? "";
  const [eventId = ""] = await webhooks.tell(1);
  await edge.writer.retryDelivery({ ...key(), eventId, webhookEndpointId });
  await webhooks.read("update delivery set state = 'dead', due_time = null where event_id = $1", eventId);
  const deadCount = async () => {
    const { counts } = await operator.reader.countPostponedWork({});
    return counts.find(({ work }) => work === PostponedWork.WEBHOOKS)?.deadCount ?? 0n;
  };
  const isListed = async () =>
    (await operator.reader.listDeadWork({ limit: 100 })).work.some(({ objectId }) => objectId === eventId);
  const before = await deadCount();
  expect(await isListed()).toBe(true);
  await edge.writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId });
  expect(await deadCount()).toBe(before - 1n);
  expect(await isListed()).toBe(false);
});
