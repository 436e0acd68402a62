import { expect, test } from "vitest";
import { describePeriod } from "./describe-period.ts";
import type { IntervalUnit } from "./interval.ts";

const gold = (count: number, unit: IntervalUnit, currencyCode = "USD", quantity = 1n) =>
  describePeriod({
    quantity,
    productName: "Gold",
    unitAmount: { amountMinor: 1_000n, currencyCode },
    interval: { unit, count },
  });

test("a period is described by quantity, product, price and how often", () => {
  expect(gold(1, "month", "USD", 2n)).toBe("2 × Gold (at $10.00 / month)");
  expect(gold(3, "month")).toBe("1 × Gold (at $10.00 / every 3 months)");
  expect(gold(1, "year", "EUR", 0n)).toBe("0 × Gold (at €10.00 / year)");
});

test("every unit and the digits of every kind of currency are written out", () => {
  expect((["day", "week", "month", "year"] as const).map((unit) => gold(2, unit, "JPY"))).toEqual(
    ["days", "weeks", "months", "years"].map((units) => `1 × Gold (at ¥1,000 / every 2 ${units})`),
  );
  expect(gold(1, "week", "KWD")).toBe("1 × Gold (at KWD 1.000 / week)");
});
