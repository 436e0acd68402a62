import fc from "fast-check";
import { expect, test } from "vitest";
import { createTestClock } from "../services/_runtime/clock.ts";
import { createIdFactory } from "../services/_runtime/ids.ts";
import { createIdentity, readIdempotencyKey } from "./idempotency.ts";
import { Problem } from "./problem.ts";

const tools = { requestKey: Buffer.alloc(32, 1), createId: createIdFactory(createTestClock()) };
const request = {
  key: "k",
  isFromPage: false,
  accountId: "acct_1",
  method: "POST",
  path: "/v1/charges#",
  params: { a: 1, b: { c: "2", d: [1, 2] } },
};

const digestOf = (change: Partial<typeof request>) =>
  Buffer.from(createIdentity({ ...request, ...change }, tools).digest).toString("hex");

test("the order of parameters does not matter, everything else does", () => {
  const same = digestOf({});
  expect(digestOf({ key: "other", params: { b: { d: [1, 2], c: "2" }, a: 1 } })).toBe(same);
  const others = [
    digestOf({ path: "/v1/refunds#" }),
    digestOf({ accountId: "acct_2" }),
    digestOf({ method: "DELETE" }),
    digestOf({ params: { a: 1, b: { c: "2", d: [2, 1] } } }),
    digestOf({ params: { a: 2, b: { c: "2", d: [1, 2] } } }),
  ];
  expect(new Set([same, ...others]).size).toBe(6);
});

test("the digest is nothing without its key: a card number cannot be guessed from it", () => {
  const other = createIdentity(request, { ...tools, requestKey: Buffer.alloc(32, 2) });
  expect(Buffer.from(other.digest).toString("hex")).not.toBe(digestOf({}));
});

test("no two keys become one, and no key becomes a step of another", () => {
  const end = fc.constantFrom("a", "/", "1", "/1", "/2/");
  const key = fc.array(end, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));
  // Two keys of which one begins like the other: the steps of one are what the other must not be.
  const pair = key.chain((one) =>
    fc.tuple(
      fc.constant(one),
      fc.oneof(
        key,
        fc.array(end).map((more) => one + more.join("")),
      ),
    ),
  );
  fc.assert(
    fc.property(pair, fc.integer({ min: 1, max: 3 }), ([one, other], number) => {
      const [a, b] = [one, other].map((given) => createIdentity({ ...request, key: given }, tools));
      expect(a?.requestId === b?.requestId).toBe(one === other);
      expect(a?.step(number)).not.toBe(b?.requestId);
    }),
    { numRuns: 1_000 },
  );
});

test("no key, and no step of one, is an id that Tripe uses by itself", () => {
  const own = ["in_1/1", "in_1/2", "in_1/finalize", "in_1/extra/1", "in_1/collect/1", "sub_1/1", "sub_1/end"];
  for (const key of [...own, "in_1", "in_1/", "in_1/extra", "in_1/collect", "sub_1"]) {
    const identity = createIdentity({ ...request, key }, tools);
    expect(own).not.toContain(identity.requestId);
    for (const number of [1, 2]) expect(own).not.toContain(identity.step(number));
  }
});

test("no key of a page is one of the merchant's own program, whatever that program chooses", () => {
  const ofPage = createIdentity({ ...request, isFromPage: true }, tools);
  const ids = [1, 2].map(ofPage.step).concat(ofPage.requestId);
  for (const key of ["k", ...ids]) {
    const own = createIdentity({ ...request, key }, tools);
    expect(ids).not.toContain(own.requestId);
    for (const number of [1, 2]) expect(ids).not.toContain(own.step(number));
  }
  expect(createIdentity({ ...request, isFromPage: true }, tools).requestId).toBe(ofPage.requestId);
});

test("a client's key that begins like those that Tripe makes does not collide with them", () => {
  expect(createIdentity({ ...request, key: "auto_1" }, tools).requestId).toBe("auto_1/");
  expect(createIdentity({ ...request, key: undefined }, tools).requestId).toMatch(/^auto_\w+$/);
});

test("without a key every request is one of its own", () => {
  const make = () => createIdentity({ ...request, key: undefined }, tools).requestId;
  expect(make()).not.toBe(make());
});

test.each([["", "k".repeat(256), "a\u00e9", " a", "a\tb"], [["a", "b"]]].flat())("%j is no key", (given) => {
  expect(() => readIdempotencyKey(given)).toThrow(Problem);
});

test("255 printable characters are a key, and none is none", () => {
  expect(readIdempotencyKey("k".repeat(255))).toHaveLength(255);
  expect(readIdempotencyKey("order 42: a")).toBe("order 42: a");
  expect(readIdempotencyKey(undefined)).toBeUndefined();
});
