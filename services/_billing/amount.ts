import { Code } from "@connectrpc/connect";
import { refuse } from "../_runtime/errors.ts";
import { AMOUNT_MAX_MINOR } from "../_runtime/money.ts";

/**
 * Gives the amount back, unless it is further from zero than 2^53 - 1: then it refuses with INVALID_ARGUMENT
 * (AMOUNT_OUT_OF_RANGE), since a merchant's prices and quantities lead there. `what` names it for people.
 */
export function checkAmount(amountMinor: bigint, what: string): bigint {
  if (amountMinor > AMOUNT_MAX_MINOR || amountMinor < -AMOUNT_MAX_MINOR) {
    refuse(Code.InvalidArgument, "AMOUNT_OUT_OF_RANGE", `${what} must not be beyond ${AMOUNT_MAX_MINOR}`);
  }
  return amountMinor;
}

/** The sum of amounts in minor units. It may be beyond what `checkAmount` lets pass. */
export function sum(amountsMinor: readonly bigint[]): bigint {
  return amountsMinor.reduce((total, amountMinor) => total + amountMinor, 0n);
}
