import type { Address } from "../../gen/tripe/billing/v1/address_pb.ts";
import { type Card, CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";

/** What a bank said of what was typed with a card: pass, fail, unavailable, unchecked, or null when it was not given. */
export interface ChecksView {
  address_line1_check: string | null;
  address_postal_code_check: string | null;
  cvc_check: string | null;
}

/** Shows a card's checks. Tripe sends banks no addresses, so an address that was given is "unchecked". */
export function checksView(card: Card | undefined, address: Address | undefined): ChecksView {
  return {
    address_line1_check: givenCheck(address?.line1),
    address_postal_code_check: givenCheck(address?.postalCode),
    cvc_check: checkWords[card?.cvcCheck ?? CheckResult.UNSPECIFIED] ?? null,
  };
}

const checkWords: Readonly<Record<number, string>> = {
  [CheckResult.PASS]: "pass",
  [CheckResult.FAIL]: "fail",
  [CheckResult.UNAVAILABLE]: "unavailable",
  [CheckResult.UNCHECKED]: "unchecked",
};

function givenCheck(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : "unchecked";
}
