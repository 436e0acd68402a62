import { beforeEach, expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import type { Begun } from "./testing-steps.ts";

const tripe = await startTestWriter();
const steps = tripe.setup();
const { writer, key } = steps;
const { accountId } = tripe;

beforeEach(() => tripe.asOwner("update event set dispatch_time = statement_timestamp() where dispatch_time is null"));

/** The types of the events that wait to be dispatched, of all accounts. */
const waiting = async () => {
  const text = "select type from event where dispatch_time is null order by type";
  return (await tripe.asOwner<{ type: string }>(text)).map(({ type }) => type);
};

const createEndpoint = async (eventTypes: string[]) => {
  const webhookEndpointId = createId("we_");
  const webhookEndpoint = { webhookEndpointId, url: "https://example.com/hook", eventTypes };
  await writer.createWebhookEndpoint({ ...key(), webhookEndpoint });
  return webhookEndpointId;
};

const beginCharge = async (receiptEmail: string, isHeld = false): Promise<Begun> => {
  const request = steps.chargeRequest(await steps.createPayer(), { isHeld });
  const { charge, attempt } = await writer.beginCharge({ ...request, charge: { ...request.charge, receiptEmail } });
  if (charge === undefined || attempt === undefined) throw new Error("the charge was not begun");
  return { request, charge, attempt };
};

const succeed = async (receiptEmail: string, isHeld = false) =>
  (await steps.settleCharge(await beginCharge(receiptEmail, isHeld), OutcomeKind.ACCEPTED)).charge;

test("without an endpoint and a receipt, nothing that happens to a charge waits to be dispatched", async () => {
  const { chargeId } = await succeed("");
  await steps.settleReturn(await steps.beginReturn(chargeId, 500n), OutcomeKind.ACCEPTED);
  const held = await succeed("", true);
  await steps.settleCapture(await steps.beginCapture(held.chargeId), OutcomeKind.ACCEPTED);
  const released = await succeed("", true);
  const release = await steps.beginReturn(released.chargeId, 0n);
  await steps.settleRelease(release, OutcomeKind.ACCEPTED);
  const pending = await beginCharge("");
  const { attemptId, fence } = pending.attempt;
  const postponed = { accountId, requestId: attemptId, attemptId, fence, delayMs: 1_000n, bank: "" };
  await writer.postponeAttempt(postponed);
  const types = await tripe.asOwner<{ type: string }>("select distinct type from event");
  expect(types.map(({ type }) => type)).toEqual(
    expect.arrayContaining(["charge.succeeded", "charge.captured", "charge.refunded", "charge.pending"]),
  );
  expect(await waiting()).toEqual([]);
});

test("a receipt, the notice of a return and a look at declines wait to be dispatched", async () => {
  const { chargeId } = await succeed("ann@example.com");
  expect(await waiting()).toEqual(["charge.succeeded"]);
  await steps.settleReturn(await steps.beginReturn(chargeId, 500n), OutcomeKind.ACCEPTED);
  expect(await waiting()).toEqual(["charge.succeeded", "refund.created"]);
  await steps.settleReturn(await steps.beginReturn(chargeId, 500n), OutcomeKind.DECLINED);
  expect(await waiting()).toEqual(["charge.succeeded", "refund.created"]);
  const held = await succeed("ann@example.com", true);
  expect(await waiting()).toEqual(["charge.succeeded", "refund.created"]);
  await steps.settleCapture(await steps.beginCapture(held.chargeId), OutcomeKind.ACCEPTED);
  expect(await waiting()).toEqual(["charge.captured", "charge.succeeded", "refund.created"]);
  await steps.settleCharge(await beginCharge(""), OutcomeKind.DECLINED);
  expect(await waiting()).toEqual(["charge.captured", "charge.failed", "charge.succeeded", "refund.created"]);
});

test("an event waits to be dispatched when an enabled endpoint of its account hears of its type, and only then", async () => {
  const endpoint = await createEndpoint(["charge.succeeded"]);
  await succeed("");
  expect(await waiting()).toEqual(["charge.succeeded"]);
  const change = { webhookEndpointId: endpoint, isDisabled: true };
  await writer.updateWebhookEndpoint({
    ...key(),
    webhookEndpoint: change,
    updateMask: { paths: ["is_disabled"] },
  });
  await succeed("");
  expect(await waiting()).toEqual(["charge.succeeded"]);
  const all = await createEndpoint(["*"]);
  await steps.createPayer();
  expect(await waiting()).toEqual(["charge.succeeded", "customer.created", "payment_method.attached"]);
  await writer.deleteWebhookEndpoint({ ...key(), webhookEndpointId: all });
  await steps.createPayer();
  expect(await waiting()).toHaveLength(3);
  const other = { ...key(), accountId: tripe.liveAccountId };
  const ofOther = { webhookEndpointId: createId("we_"), url: "https://example.com/hook", eventTypes: ["*"] };
  await writer.createWebhookEndpoint({ ...other, webhookEndpoint: ofOther });
  await steps.createPayer();
  expect(await waiting()).toHaveLength(3);
});
