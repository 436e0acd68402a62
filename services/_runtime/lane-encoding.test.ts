import { create, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CarryRequestSchema, CarryResponseSchema } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { encodeRequest, encodeResponse } from "./lane-encoding.ts";

const number = fc.integer({ min: 0, max: 2_147_483_647 });
const text = fc.string({ unit: "grapheme", maxLength: 200 });
const payload = fc.uint8Array({ maxLength: 20_000 }) as fc.Arbitrary<Uint8Array<ArrayBuffer>>;
const headers = fc.array(fc.record({ name: text, value: text }), { maxLength: 3 });

const call = fc.record(
  {
    ...{ id: number, path: text, payload, timeoutMs: number, requestId: text, clientKey: text, traceId: text },
    ...{ spanId: text, parentId: text, wantsTiming: fc.boolean(), headers, caller: text },
  },
  { requiredKeys: ["id", "path"] },
);
const answer = fc.record(
  {
    ...{ id: number, payload, isPartial: fc.boolean(), code: number, timing: text, headers, trailers: headers },
    message: text,
  },
  { requiredKeys: ["id"] },
);

test("a request is written as the generated code writes it", () => {
  const request = fc.record({
    calls: fc.array(call, { maxLength: 5 }),
    cancelledIds: fc.array(number, { maxLength: 5 }),
  });
  fc.assert(
    fc.property(request, (init) => {
      const message = create(CarryRequestSchema, init);
      expect(encodeRequest(message).equals(toBinary(CarryRequestSchema, message))).toBe(true);
    }),
  );
});

test("a response is written as the generated code writes it", () => {
  const response = fc.record(
    { answers: fc.array(answer, { maxLength: 5 }), lastId: number },
    { requiredKeys: ["answers"] },
  );
  fc.assert(
    fc.property(response, (init) => {
      const message = create(CarryResponseSchema, init);
      expect(encodeResponse(message).equals(toBinary(CarryResponseSchema, message))).toBe(true);
    }),
  );
});

test("a message that cannot be written leaves nothing in the next one", () => {
  const broken = create(CarryRequestSchema, { calls: [{ id: 1, path: "/a" }, { id: 0.5 }] });
  expect(() => encodeRequest(broken)).toThrow();
  const message = create(CarryRequestSchema, { calls: [{ id: 2, path: "/b" }] });
  expect(encodeRequest(message).equals(toBinary(CarryRequestSchema, message))).toBe(true);
});
