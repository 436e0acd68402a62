import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createTestClock } from "./clock.ts";
import { BASE62, createId, createIdFactory, randomBase62 } from "./ids.ts";

test("an id is its prefix and 24 characters of base62", () => {
  expect(createId("cus_")).toMatch(/^cus_[0-9A-Za-z]{24}$/);
  expect(BASE62).toBe([...BASE62].sort().join(""));
});

test("later ids are greater byte by byte, whatever the clock does", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 60 }), (steps) => {
      const clock = createTestClock();
      const create = createIdFactory(clock);
      const ids = steps.map((step) => {
        clock.setNowMs(clock.nowMs() + step);
        return create("ch_");
      });
      expect(ids).toEqual([...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
});

test("more ids than a millisecond can count move on to the next", () => {
  const create = createIdFactory(createTestClock());
  let last = create("");
  for (let index = 0; index < 62 ** 3 + 10; index += 1) {
    const next = create("");
    if (next <= last) throw new Error(`${next} came after ${last}`);
    last = next;
  }
});

test("the characters of chance come equally often", () => {
  const counts = new Map<string, number>();
  for (const char of randomBase62(62_000)) counts.set(char, (counts.get(char) ?? 0) + 1);
  expect(counts.size).toBe(62);
  // 1,000 expected each, standard deviation 31: seven of them are met once in 10^11 runs.
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(220);
});
