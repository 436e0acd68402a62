import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSpans, encodeSpans, serverTiming } from "./timing.ts";

const span = fc.record({
  name: fc.stringMatching(/^[a-z]{1,12}\.[A-Za-z]{1,30}$/),
  startMs: fc.integer({ min: -500, max: 99_999_999 }).map((hundredths) => hundredths / 100),
  ms: fc.integer({ min: 0, max: 99_999_999 }).map((hundredths) => hundredths / 100),
});

test("times come back as they were sent", () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 64 }), (spans) => {
      expect(decodeSpans(encodeSpans(spans), 0)).toEqual(spans);
    }),
  );
});

test("times of a nested call are moved to where it started", () => {
  expect(decodeSpans("bank.Submit;1.5;2", 10)).toEqual([{ name: "bank.Submit", startMs: 11.5, ms: 2 }]);
});

test("whatever else a trailer holds yields at most some spans, and never an error", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodeSpans(text, 0).length).toBeLessThanOrEqual(64);
    }),
  );
  expect(decodeSpans("a;b;c,writer.X;1;2", 0)).toEqual([{ name: "writer.X", startMs: 1, ms: 2 }]);
});

test("the public header lists calls by their start, and no more than a header may hold", () => {
  const spans = [
    { name: "writer.Begin", startMs: 2.004, ms: 3 },
    { name: "reader.Get", startMs: 0, ms: 1.239 },
  ];
  expect(serverTiming(spans)).toBe("reader.Get;start=0;dur=1.24, writer.Begin;start=2;dur=3");
  const many = Array.from({ length: 500 }, () => ({ name: `transactions.${"X".repeat(40)}`, startMs: 1, ms: 1 }));
  expect(serverTiming(many).length).toBeLessThan(8_192);
});
