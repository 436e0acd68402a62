import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { assert, FAULT_MESSAGE, refusalOf, refuse, toPublicError, unreachable } from "./errors.ts";

test("refuse throws what refusalOf reads", () => {
  const caught = catchOf(() => refuse(Code.NotFound, "CUSTOMER_NOT_FOUND", "no such customer", "customer.id"));
  expect(refusalOf(caught)).toEqual({
    code: Code.NotFound,
    reason: "CUSTOMER_NOT_FOUND",
    field: "customer.id",
    message: "no such customer",
  });
});

test("refusalOf finds nothing in a fault or in a transport's error", () => {
  expect(refusalOf(new Error("boom"))).toBeUndefined();
  expect(refusalOf(new ConnectError("gone", Code.Unavailable))).toBeUndefined();
  expect(refusalOf(undefined)).toBeUndefined();
});

test("a caller sees refusals and deadlines, and of a fault only that there was one", () => {
  const refusal = catchOf(() => refuse(Code.Aborted, "STALE", "stale"));
  expect(toPublicError(refusal, undefined)).toBe(refusal);
  const fault = toPublicError(new Error("password is hunter2"), undefined);
  expect([fault.code, fault.rawMessage]).toEqual([Code.Internal, FAULT_MESSAGE]);
  expect(fault.cause).toBeInstanceOf(Error);
  expect(toPublicError(new ConnectError("row 7", Code.Internal), undefined).rawMessage).toBe(FAULT_MESSAGE);
  const late = new ConnectError("too late", Code.DeadlineExceeded);
  expect(toPublicError(new Error("query was cancelled"), late)).toBe(late);
});

test("assert and unreachable stop at a bug", () => {
  expect(() => assert(1 + 1 === 2, "sums hold")).not.toThrow();
  expect(() => assert(false, "sums hold")).toThrow("assertion failed: sums hold");
  expect(() => unreachable("odd" as never)).toThrow('nobody handles "odd"');
});

function catchOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
