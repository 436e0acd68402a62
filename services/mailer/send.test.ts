import { Code } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { DeliveryState } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import type { Carrier } from "./carrier.ts";
import { createMailerClient } from "./testing/client.ts";
import { receiptRequest } from "./testing/requests.ts";

// Real sockets on a busy machine take their time; that is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

function setup() {
  const road = Promise.withResolvers<void>();
  // A carrier that is stuck on a road until the road is open.
  const carrier: Carrier = {
    carry: async ({ to }) => {
      await road.promise;
      return to.map((recipient) => ({ recipient, state: DeliveryState.ACCEPTED, reply: "250 OK" }));
    },
    close: () => {},
  };
  return { client: createMailerClient(carrier, systemClock), openRoad: road.resolve };
}

test("the 1,001st mail on its way is refused, and there is room again afterwards", async () => {
  const { client, openRoad } = setup();
  const underway = Array.from({ length: 1_000 }, () => client.sendReceipt(receiptRequest()));
  const refusal = await client.sendReceipt(receiptRequest()).catch((error: unknown) => refusalOf(error));
  expect(refusal).toMatchObject({ code: Code.ResourceExhausted, reason: "MAILER_BUSY" });
  openRoad();
  expect(await Promise.all(underway)).toHaveLength(1_000);
  expect((await client.sendReceipt(receiptRequest())).deliveries).toHaveLength(1);
});

test("a recipient asked for twice gets one mail and is told of twice", async () => {
  const { client, openRoad } = setup();
  openRoad();
  const recipients = ["ann@example.com", "ann@example.com"];
  const { deliveries } = await client.sendReceipt({ ...receiptRequest(), recipients });
  expect(deliveries.map(({ state }) => state)).toEqual([DeliveryState.ACCEPTED, DeliveryState.ACCEPTED]);
});
