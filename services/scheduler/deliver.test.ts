import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { GetDeliveryResponseSchema } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import { DeliverEventResponseSchema, DeliverEventResult } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { DeliveryOutcome } from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { MESSAGE_MAX_BYTES } from "../_runtime/limits.ts";
import { createWebhookWork, type DeliverDependencies } from "./deliver.ts";

const job = { accountId: "acct_1", eventId: "evt_1", webhookEndpointId: "we_1", turn: 1 };

function setup(answer: object, delivery: object = {}, deliver?: () => Promise<never>) {
  const recordDeliveries = vi.fn(async (_request: { tries: { body?: Uint8Array }[] }) => ({}));
  const clients = {
    reader: { getDelivery: async () => create(GetDeliveryResponseSchema, { turn: 1, isEnabled: true, ...delivery }) },
    webhooks: { deliverEvent: deliver ?? (async () => create(DeliverEventResponseSchema, answer)) },
    writer: { recordDeliveries },
  } as unknown as DeliverDependencies["clients"];
  return { ...createWebhookWork({ clients, ladderMs: [3_600_000] }), recordDeliveries };
}

test("a server may ask for more time than the ladder has, never for less", async () => {
  const asked = (ms: number) => ({ result: DeliverEventResult.POSTPONED, status: 503, retryAfter: durationFromMs(ms) });
  const waits = await Promise.all(Array.from({ length: 20 }, () => setup(asked(1_000)).work(job, 0)));
  // Twenty hours full of jitter, not twenty seconds.
  expect(waits.reduce((sum, one) => sum + durationMs(one?.wait as never), 0)).toBeGreaterThan(3_600_000);
  const long = await setup(asked(7_200_000)).work(job, 0);
  expect(durationMs(long?.wait as never)).toBe(7_200_000);
});

test("tries are written down in messages that the writer takes, however large their events are", async () => {
  const body = new Uint8Array(90_000);
  const { work, record, recordDeliveries } = setup({ result: DeliverEventResult.DELIVERED, status: 200, body });
  await record(await Promise.all(Array.from({ length: 64 }, () => work(job, 0))));
  const sizes = recordDeliveries.mock.calls.map(([{ tries }]) =>
    tries.reduce((sum, one) => sum + (one.body?.length ?? 0), 0),
  );
  expect(Math.max(...sizes)).toBeLessThan(MESSAGE_MAX_BYTES - 65_536);
  expect(recordDeliveries.mock.calls.reduce((sum, [{ tries }]) => sum + tries.length, 0)).toBe(64);
});

test("the bytes of the first attempt are sent to be kept once", async () => {
  const body = new Uint8Array([1]);
  const { work } = setup({ result: DeliverEventResult.DELIVERED, status: 200, body }, { body });
  expect((await work(job, 0))?.body).toHaveLength(0);
});

test("bytes too large to be kept are rendered anew, and what no message can hold is dead after five tries", async () => {
  const body = new Uint8Array(1_048_577);
  const large = setup({ result: DeliverEventResult.POSTPONED, status: 500, body });
  expect(await large.work(job, 0)).toMatchObject({ outcome: DeliveryOutcome.POSTPONED, body: new Uint8Array() });
  const tooLarge = () => Promise.reject(new ConnectError("larger than max", Code.ResourceExhausted));
  const { work } = setup({}, {}, tooLarge);
  await expect(work(job, 4)).rejects.toThrow("larger than max");
  expect(await work(job, 5)).toMatchObject({
    outcome: DeliveryOutcome.UNSPECIFIED,
    problem: expect.stringContaining("event"),
  });
});

test("an address that Tripe does not call is refused, whatever was tried before", async () => {
  const problem = "the host's address is not public";
  for (const rung of [0, 1, 8]) {
    const { work } = setup({ result: DeliverEventResult.REFUSED, problem }, { rung });
    expect(await work(job, 0)).toMatchObject({ outcome: DeliveryOutcome.REFUSED, status: 0, problem });
  }
});
