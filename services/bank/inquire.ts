import { Code } from "@connectrpc/connect";
import type { InquireRequest } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { acceptorOf, traceOf } from "./messages.ts";
import { toOutcome } from "./outcome.ts";
import type { Router } from "./router.ts";

/**
 * Asks the bank what became of a reference. `isKnown` is false only when the bank says that it has never heard of it; a bank that cannot
 * be asked gives true with the outcome UNKNOWN, so that nobody takes silence for a no. What the bank can do is always said. Refuses BANK_UNKNOWN.
 */
export async function inquire(router: Router, request: InquireRequest, timeoutMs: number) {
  const { amount, bank, bankRef } = request;
  assert(amount !== undefined, "a request to inquire has an amount");
  if (bank !== "" && !router.has(bank))
    refuse(Code.FailedPrecondition, "BANK_UNKNOWN", "there is no such bank", "bank");
  const { amountMinor, currencyCode } = amount;
  const [acceptor, about] = [acceptorOf(request), traceOf(request.trace)];
  const found = await router.inquire({ bankRef, amountMinor, currencyCode, timeoutMs, acceptor, about }, bank);
  const { answer } = found;
  const { lateWindowMs, ...flags } = router.capabilitiesOf(found.bank, currencyCode);
  const capabilities = { ...flags, lateWindowMs: BigInt(lateWindowMs) };
  if (answer.outcome === "not_known") return { isKnown: false, capabilities };
  return { isKnown: true, outcome: toOutcome({ bank: found.bank, answer }), capabilities };
}
