import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { DeliverEventResponseSchema, DeliverEventResult } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import {
  DeliveryOutcome,
  LeaseDeliveriesResponseSchema,
  LeasedDeliverySchema,
} from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { MESSAGE_MAX_BYTES } from "../_runtime/limits.ts";
import { silentLog } from "../_runtime/log.ts";
import { attemptDelivery, createDeliveries, type DeliverDependencies } from "./deliveries.ts";

const delivery = { accountId: "acct_1", eventId: "evt_1", webhookEndpointId: "we_1", turn: 1 };

function leasedOf(change: object = {}) {
  return create(LeasedDeliverySchema, { delivery, event: {}, isEnabled: true, leaseCount: 1, ...change });
}

function setup(answer: object, deliver?: () => Promise<never>) {
  const recordDeliveries = vi.fn(async (_request: { tries: { body?: Uint8Array }[] }) => ({}));
  const leaseDeliveries = vi.fn(async () => create(LeaseDeliveriesResponseSchema));
  const clients = {
    webhooks: { deliverEvent: deliver ?? (async () => create(DeliverEventResponseSchema, answer)) },
    writer: { recordDeliveries, leaseDeliveries },
  } as unknown as DeliverDependencies["clients"];
  const dependencies = { clients, clock: systemClock, log: silentLog, backoffMs: [3_600_000] };
  const attempt = (change: object = {}) => attemptDelivery(dependencies, leasedOf(change));
  return { attempt, dependencies, recordDeliveries, leaseDeliveries };
}

test("a server may ask for more time than the schedule has, never for less", async () => {
  const asked = (ms: number) => ({ result: DeliverEventResult.POSTPONED, status: 503, retryAfter: durationFromMs(ms) });
  const waits = await Promise.all(Array.from({ length: 20 }, () => setup(asked(1_000)).attempt()));
  // Twenty hours full of jitter, not twenty seconds.
  expect(waits.reduce((sum, one) => sum + durationMs(one.wait as never), 0)).toBeGreaterThan(3_600_000);
  const long = await setup(asked(7_200_000)).attempt();
  expect(durationMs(long.wait as never)).toBe(7_200_000);
});

test("tries are recorded in messages that the writer takes, however large their events are", async () => {
  const body = new Uint8Array(90_000);
  const { dependencies, recordDeliveries, leaseDeliveries } = setup({
    result: DeliverEventResult.DELIVERED,
    status: 200,
    body,
  });
  const deliveries = Array.from({ length: 32 }, () => leasedOf());
  leaseDeliveries.mockResolvedValueOnce(create(LeaseDeliveriesResponseSchema, { deliveries, hasMore: true }));
  leaseDeliveries.mockResolvedValueOnce(
    create(LeaseDeliveriesResponseSchema, { deliveries: deliveries.map(() => leasedOf()) }),
  );
  const pool = createDeliveries(dependencies);
  expect(await pool.fill()).toBe(64);
  await pool.stop();
  const sizes = recordDeliveries.mock.calls.map(([{ tries }]) =>
    tries.reduce((sum, one) => sum + (one.body?.length ?? 0), 0),
  );
  expect(Math.max(...sizes)).toBeLessThan(MESSAGE_MAX_BYTES - 65_536);
  expect(recordDeliveries.mock.calls.reduce((sum, [{ tries }]) => sum + tries.length, 0)).toBe(64);
});

test("the bytes of the first attempt are sent to be kept once", async () => {
  const body = new Uint8Array([1]);
  const { attempt } = setup({ result: DeliverEventResult.DELIVERED, status: 200, body });
  expect((await attempt({ body })).body).toHaveLength(0);
  expect((await attempt()).body).toEqual(body);
});

test("bytes too large to be kept are rendered anew, and what no message can hold is dead", async () => {
  const body = new Uint8Array(1_048_577);
  const large = setup({ result: DeliverEventResult.POSTPONED, status: 500, body });
  expect(await large.attempt()).toMatchObject({ outcome: DeliveryOutcome.POSTPONED, body: new Uint8Array() });
  const dead = { outcome: DeliveryOutcome.UNSPECIFIED, problem: expect.stringContaining("event") };
  const { attempt } = setup({}, () => Promise.reject(new ConnectError("larger than max", Code.ResourceExhausted)));
  expect(await attempt({ leaseCount: 5 })).toMatchObject({ outcome: DeliveryOutcome.UNTRIED });
  expect(await attempt({ leaseCount: 6 })).toMatchObject(dead);
  expect(await large.attempt({ event: undefined })).toMatchObject(dead);
});

test("a service that is away is waited for, a second doubled to a minute; what it refuses is dead at once", async () => {
  const away = setup({}, () => Promise.reject(new ConnectError("away", Code.Unavailable)));
  const waitMs = async (leaseCount: number) => {
    const { outcome, wait } = await away.attempt({ leaseCount });
    expect(outcome).toBe(DeliveryOutcome.UNTRIED);
    return durationMs(wait as never);
  };
  expect([await waitMs(1), await waitMs(2), await waitMs(7), await waitMs(900)]).toEqual([
    1_000, 2_000, 60_000, 60_000,
  ]);
  expect((await away.attempt({ leaseCount: 1_001 })).outcome).toBe(DeliveryOutcome.UNSPECIFIED);
  const refused = setup({}, () => Promise.reject(new ConnectError("no secret", Code.InvalidArgument)));
  expect((await refused.attempt()).outcome).toBe(DeliveryOutcome.UNSPECIFIED);
});

test("an address that Tripe does not call is refused, whatever was tried before", async () => {
  const problem = "the host's address is not public";
  for (const failedCount of [0, 1, 8]) {
    const { attempt } = setup({ result: DeliverEventResult.REFUSED, problem });
    expect(await attempt({ failedCount })).toMatchObject({ outcome: DeliveryOutcome.REFUSED, status: 0, problem });
  }
});
