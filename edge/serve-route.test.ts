import { expect, test } from "vitest";
import { Problem } from "./problem.ts";
import { createCallRegister } from "./serve-route.ts";

test("beyond 256 requests at once the next is told to come again, until one has been answered", () => {
  const calls = createCallRegister();
  for (let count = 0; count < 256; count += 1) calls.admit();
  const refusal = () => {
    try {
      calls.admit();
    } catch (error) {
      if (error instanceof Problem) return [error.status, error.headers["retry-after"]];
      throw error;
    }
    return undefined;
  };
  expect(refusal()).toEqual([503, "1"]);
  calls.leave();
  expect(refusal()).toBeUndefined();
});
