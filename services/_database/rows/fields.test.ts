import { create, type JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AddressSchema, BillingDetailsSchema, ShippingSchema } from "../../../gen/tripe/billing/v1/address_pb.ts";
import * as fields from "./fields.ts";

const words = fc.string({ unit: "grapheme", maxLength: 20 });
const addresses = fc
  .record({ line1: words, line2: words, city: words, state: words, postalCode: words, countryCode: words })
  .map((address) => create(AddressSchema, address));

const parsed = (text: string | null): JsonValue => (text === null ? null : JSON.parse(text));

test("addresses, shipping and billing details come back from their columns as they went", () => {
  fc.assert(
    fc.property(addresses, words, (address, name) => {
      expect(fields.addressOf(parsed(fields.addressJson(address)))).toEqual(address);
      const shipping = create(ShippingSchema, { address, name });
      expect(fields.shippingOf(parsed(fields.shippingJson(shipping)))).toEqual(shipping);
      const details = create(BillingDetailsSchema, { address, name });
      expect(fields.billingDetailsOf(parsed(fields.billingDetailsJson(details)))).toEqual(details);
    }),
  );
});

test("what is not there is null in its column and undefined in a message", () => {
  expect([fields.addressJson(undefined), fields.shippingJson(undefined), fields.billingDetailsJson(undefined)]).toEqual(
    [null, null, null],
  );
  expect([fields.addressOf(null), fields.shippingOf(null), fields.billingDetailsOf(null)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect([fields.timestampOf(null), fields.declineOf(null, "51")]).toEqual([undefined, undefined]);
  expect([fields.nullIfEmpty(""), fields.nullIfEmpty("a")]).toEqual([null, "a"]);
});

test("a decline needs no response code, and a moment keeps its milliseconds", () => {
  expect(fields.declineOf("lost_card", null)).toMatchObject({ reason: "lost_card", responseCode: "" });
  const moment = fields.timestampOf(new Date(1_234_567_890_123));
  expect([moment?.seconds, moment?.nanos]).toEqual([1_234_567_890n, 123_000_000]);
});
