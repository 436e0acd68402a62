import { expect, test } from "vitest";
import { priceView } from "./price.ts";
import { productView } from "./product.ts";
import { golden } from "./testing.ts";
import { samplePrice, sampleProduct } from "./testing-billing.ts";

test("a product shows as in the golden file", () => {
  expect(JSON.stringify(productView(sampleProduct()))).toBe(golden("product"));
});

test("a product without anything shows nulls, and was last changed when it was made", () => {
  const { updateTime: _, ...product } = sampleProduct({ description: "", defaultPriceId: "", metadata: {} });
  const view = productView(product);
  expect(view).toMatchObject({ description: null, default_price: null, metadata: {}, updated: 1767225600 });
  expect(Object.keys(view)).toEqual(Object.keys(productView(sampleProduct())));
});

test("its default price is expanded when that was asked for, and never with another's", () => {
  expect(productView(sampleProduct(), { default_price: samplePrice() }).default_price).toEqual(
    priceView(samplePrice()),
  );
  expect(() => productView(sampleProduct(), { default_price: samplePrice({ priceId: "price_2" }) })).toThrow(
    "price_1 was expanded with price_2",
  );
});
