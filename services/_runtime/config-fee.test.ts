import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

test.each([
  ["2.9%+30", 290, 30],
  ["2.95%", 295, 0],
  ["3%+0", 300, 0],
  ["100%", 10_000, 0],
  ["30", 0, 30],
  ["none", 0, 0],
  ["", 0, 0],
])("TRIPE_FEE=%s", (TRIPE_FEE, basisPoints, fixedMinor) => {
  expect(readConfig({ TRIPE_FEE }).fee).toEqual({ basisPoints, fixedMinor });
});

test.each(["2.9", "2.955%", "100.01%", "%", "2.9%+", "2.9%+0.3", "-1%", "2.9 %", "2.9%+1000001", "30%+30%"])(
  "TRIPE_FEE=%s is refused in words",
  (TRIPE_FEE) => {
    expect(() => readConfig({ TRIPE_FEE })).toThrow(
      "TRIPE_FEE must be a rate with up to two decimals and a fixed part",
    );
  },
);
