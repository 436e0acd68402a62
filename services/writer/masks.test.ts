import fc from "fast-check";
import { expect, test } from "vitest";
import { refusalOf } from "../_runtime/errors.ts";
import { applyMask } from "./masks.ts";

const updatable = ["name", "default_payment_method_id"];
const current = { name: "old", defaultPaymentMethodId: "pm_1", isLive: false };
const change = { name: "new", defaultPaymentMethodId: "pm_2", isLive: true };

test("applyMask takes the masked fields and no other, by the proto's names", () => {
  expect(applyMask(current, change, ["name"], updatable)).toEqual({ ...current, name: "new" });
  expect(applyMask(current, change, updatable, updatable)).toEqual({ ...change, isLive: false });
  expect(applyMask(current, change, [], updatable)).toEqual(current);
});

test("applyMask changes neither of what it is given", () => {
  const [one, two] = [Object.freeze({ ...current }), Object.freeze({ ...change })];
  expect(applyMask(one, two, updatable, updatable)).not.toBe(one);
  expect([one, two]).toEqual([current, change]);
});

test("applyMask refuses every path that is not among the updatable ones", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "isLive", "NAME")), (path) => {
      fc.pre(!updatable.includes(path));
      let refused: unknown;
      try {
        applyMask(current, change, [path], updatable);
      } catch (error) {
        refused = error;
      }
      expect(refusalOf(refused)?.reason).toBe("UPDATE_MASK_UNKNOWN");
    }),
  );
});
