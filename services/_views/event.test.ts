import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EventSchema, type Snapshot } from "../../gen/tripe/billing/v1/event_pb.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { eventView } from "./event.ts";
import { paymentMethodView } from "./payment-method.ts";
import { returnView } from "./return.ts";
import { sampleCharge, sampleCustomer, samplePaymentMethod, sampleReturn, sampleToken } from "./testing.ts";
import { tokenView } from "./token.ts";

const nouns: [Snapshot["noun"], object][] = [
  [{ case: "charge", value: sampleCharge() }, chargeView(sampleCharge())],
  [{ case: "customer", value: sampleCustomer() }, customerView(sampleCustomer())],
  [{ case: "paymentMethod", value: samplePaymentMethod() }, paymentMethodView(samplePaymentMethod())],
  [{ case: "return", value: sampleReturn() }, returnView(sampleReturn())],
  [{ case: "token", value: sampleToken() }, tokenView(sampleToken())],
];

test.each(nouns)("an event wraps its noun as it was: $case", (noun, object) => {
  expect(eventView(event(noun), { pendingWebhooks: 2 })).toEqual({
    id: "evt_1",
    object: "event",
    api_version: "2026-10-28.endive",
    created: 1767225600,
    data: { object },
    livemode: true,
    pending_webhooks: 2,
    request: { id: "req_1", idempotency_key: null },
    type: "charge.succeeded",
  });
});

test("an event without a noun is not shown", () => {
  expect(() => eventView(event({ case: undefined }))).toThrow("a snapshot holds a noun");
  const { snapshot: _, ...bare } = event({ case: undefined });
  expect(() => eventView(bare)).toThrow("an event has a snapshot");
});

function event(noun: Snapshot["noun"]) {
  return create(EventSchema, {
    eventId: "evt_1",
    type: "charge.succeeded",
    snapshot: { noun },
    requestId: "req_1",
    createTime: { seconds: 1767225600n },
    isLive: true,
  });
}
