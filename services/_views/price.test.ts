import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { IntervalUnit, RecurrenceSchema } from "../../gen/tripe/billing/v1/product_pb.ts";
import { planView, priceView } from "./price.ts";
import { productView } from "./product.ts";
import { golden } from "./testing.ts";
import { samplePrice, sampleProduct } from "./testing-billing.ts";

test("a price that repeats shows as in the golden file", () => {
  expect(JSON.stringify(priceView(samplePrice()))).toBe(golden("price"));
});

test("a price that repeats shows as a plan as in the golden file", () => {
  expect(JSON.stringify(planView(samplePrice()))).toBe(golden("plan"));
});

test("a one-off price does not recur, and is no plan", () => {
  const { recurrence: _, ...price } = samplePrice({ lookupKey: "", nickname: "" });
  expect(priceView(price)).toMatchObject({ type: "one_time", recurring: null, lookup_key: null, nickname: null });
  expect(() => planView(price)).toThrow("a plan repeats");
});

test.each([
  [IntervalUnit.DAY, "day"],
  [IntervalUnit.WEEK, "week"],
  [IntervalUnit.MONTH, "month"],
  [IntervalUnit.YEAR, "year"],
])("the unit %i of an interval is a %s", (unit, interval) => {
  const price = samplePrice({ recurrence: create(RecurrenceSchema, { unit, count: 3 }), trialPeriodDays: 0 });
  const shown = { interval, interval_count: 3, trial_period_days: null };
  expect(priceView(price).recurring).toMatchObject(shown);
  expect(planView(price)).toMatchObject(shown);
});

test("a price that contradicts itself is not shown", () => {
  const { unitAmount: _, ...price } = samplePrice();
  expect(() => priceView(price)).toThrow("a price has an amount");
  expect(() => priceView(samplePrice({ productId: "" }))).toThrow("always belongs to");
  expect(() => priceView(samplePrice({ recurrence: create(RecurrenceSchema, { count: 1 }) }))).toThrow("no word");
});

test("its product is expanded when that was asked for", () => {
  expect(priceView(samplePrice(), { product: sampleProduct() }).product).toEqual(productView(sampleProduct()));
});
