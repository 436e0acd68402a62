import { create, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CarryResponseSchema, type LaneAnswer, LaneAnswerSchema } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { createAnswerQueue } from "./answer-queue.ts";
import { LANE_MESSAGE_MAX_BYTES } from "./lane-messages.ts";

const answer = (id: number, bytes: number): LaneAnswer =>
  create(LaneAnswerSchema, { id, payload: new Uint8Array(bytes).fill(id) });

function setup(...answers: LaneAnswer[]) {
  const queue = createAnswerQueue();
  for (const one of answers) queue.push(one);
  const takeIds = () => queue.take(true).map(({ id }) => id);
  return { queue, takeIds };
}

test("whatever waits leaves whole, in messages of 64 KiB, and nothing stays", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 30 }), (sizes) => {
      const { queue } = setup(...sizes.map((size, index) => answer(index + 1, size)));
      expect(queue.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
      const received = new Map<number, number>();
      const whole = new Set<number>();
      while (!queue.isEmpty) {
        const answers = queue.take(true);
        expect(answers.length).toBeGreaterThan(0);
        const bytes = toBinary(CarryResponseSchema, create(CarryResponseSchema, { answers }));
        expect(bytes.length).toBeLessThanOrEqual(LANE_MESSAGE_MAX_BYTES);
        for (const { id, payload, isPartial } of answers) {
          expect(whole.has(id)).toBe(false);
          received.set(id, (received.get(id) ?? 0) + payload.length);
          if (!isPartial) whole.add(id);
        }
      }
      expect([...received].sort(([a], [b]) => a - b)).toEqual(sizes.map((size, index) => [index + 1, size]));
      expect([whole.size, queue.bytes, queue.take(true)]).toEqual([sizes.length, 0, []]);
    }),
    { numRuns: 50 },
  );
});

test("a small answer leaves with the next message, however much of large ones waits", () => {
  const { queue, takeIds } = setup(...Array.from({ length: 20 }, (_, index) => answer(index + 1, 1_048_576)));
  takeIds();
  queue.push(answer(99, 500));
  expect(takeIds()[0]).toBe(99);
});

test("a large answer waits when none of its parts may leave", () => {
  const { queue } = setup(answer(1, 100_000), answer(2, 10));
  expect([queue.take(false), queue.take(false), queue.take(true)].map((taken) => taken.map(({ id }) => id))).toEqual([
    [2],
    [],
    [1],
  ]);
});

test("large answers share a lane in turn", () => {
  const { takeIds } = setup(answer(1, 400_000), answer(2, 400_000), answer(3, 400_000));
  expect([takeIds(), takeIds(), takeIds(), takeIds()]).toEqual([[1], [2], [3], [1]]);
});

test("small answers without end do not hold a large one up", () => {
  const { queue } = setup(answer(1_000, 200_000));
  let messages = 0;
  for (let id = 1; ; id += 8) {
    for (let more = 0; more < 8; more += 1) queue.push(answer(id + more, 16_000));
    messages += 1;
    if (queue.take(true).some((one) => one.id === 1_000 && !one.isPartial)) break;
  }
  expect(messages).toBeLessThan(10);
});
