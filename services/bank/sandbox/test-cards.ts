import { isLuhnValid } from "../../_runtime/card-number.ts";

/** How the sandbox bank answers for a card: a response code for each thing it is asked, and its word on the CVC. */
export interface CardBehaviour {
  /** Authorizations and purchases. */
  readonly charge: string;
  /** Verifications for no money. */
  readonly verify: string;
  /** M: every CVC matches. N: none does. */
  readonly cvcResult: "M" | "N";
  /** How a refund ends that is first answered 09, in progress; absent when it is done at once. */
  readonly refundEnd?: string;
}

/** Says how the bank answers for a card number: by the table, else approved when its check digit is right, else 14, no such card. */
export function behaviourOf(number: string): CardBehaviour {
  return BEHAVIOURS[number] ?? (isLuhnValid(number) ? APPROVED : declined("14"));
}

const APPROVED: CardBehaviour = { charge: "00", verify: "00", cvcResult: "M" };

function declined(code: string): CardBehaviour {
  return { charge: code, verify: code, cvcResult: "M" };
}

/**
 * Stripe's test cards (docs.stripe.com/testing) that do not simply succeed. As there, a card that declines cannot be attached either, so it declines
 * a verification too; …0341 is the exception made for that. The refunds of …7726 and …5126 are in progress first; later they are done, or fail
 * because the card has expired meanwhile. (Stripe shows …5126 as succeeded before it fails; a bank's "done" is final here.)
 */
const BEHAVIOURS: Readonly<Record<string, CardBehaviour>> = {
  "4000000000000002": declined("05"),
  "4000000000009995": declined("51"),
  "4000000000009987": declined("41"),
  "4000000000009979": declined("43"),
  "4000000000000069": declined("54"),
  "4000000000000119": declined("96"),
  "4000000000006975": declined("61"),
  "4100000000000019": declined("59"),
  "4000000000000127": { charge: "N7", verify: "N7", cvcResult: "N" },
  "4000000000000101": { charge: "00", verify: "00", cvcResult: "N" },
  "4000000000000341": { charge: "05", verify: "00", cvcResult: "M" },
  "4000000000005126": { ...APPROVED, refundEnd: "54" },
  "4000000000007726": { ...APPROVED, refundEnd: "00" },
};
