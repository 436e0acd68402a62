import { Code } from "@connectrpc/connect";
import type { SubmitRequest } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { SealError } from "../_runtime/seal.ts";
import type { OpenCard } from "./card.ts";
import type { BankAnswer } from "./connector.ts";
import { acceptorOf, kindOf, traceOf } from "./messages.ts";
import { toOutcome } from "./outcome.ts";
import type { Routed, Router } from "./router.ts";
import type { Vault } from "./vault.ts";

/** What submitting needs. */
export interface SubmitTools {
  readonly router: Router;
  readonly vault: Vault;
  readonly log: Log;
}

/**
 * Asks a bank to do one thing. Whatever the bank says, or fails to say, is an outcome. Refuses, before anything is sent: KIND_UNSPECIFIED,
 * AMOUNT_NOT_POSITIVE, ORIGINAL_BANK_REF_MISSING and BANK_UNKNOWN. A card that does not open for its owner is Tripe's own fault, and no
 * answer to the charge: INTERNAL, reason SEALED_CARD_UNOPENED, so that the attempt stays pending until the key is back.
 */
export async function submit({ router, vault, log }: SubmitTools, request: SubmitRequest, timeoutMs: number) {
  const { amount, bank, bankRef, originalBankRef } = request;
  assert(amount !== undefined, "a request to submit has an amount");
  const kind =
    kindOf(request.kind) ?? refuse(Code.InvalidArgument, "KIND_UNSPECIFIED", "no bank knows such a thing", "kind");
  if (amount.amountMinor <= 0n)
    refuse(Code.InvalidArgument, "AMOUNT_NOT_POSITIVE", "an amount is above zero", "amount");
  if (originalBankRef === "" && kind !== "purchase" && kind !== "authorize") {
    refuse(Code.InvalidArgument, "ORIGINAL_BANK_REF_MISSING", `a ${kind} names its original`, "original_bank_ref");
  }
  if (bank !== "" && !router.has(bank))
    refuse(Code.FailedPrecondition, "BANK_UNKNOWN", "there is no such bank", "bank");
  const card = openCard({ vault, log }, request);
  const { amountMinor, currencyCode } = amount;
  const isRepeat = request.tries > 0;
  const traces = { trace: traceOf(request.trace), original: traceOf(request.original) };
  const acceptor = acceptorOf(request);
  const sent = { bankRef, originalBankRef, card, amountMinor, currencyCode, isRepeat, timeoutMs, acceptor, ...traces };
  const routed = await router.submit(kind, sent, bank);
  logUndecided({ log, router }, bankRef, routed);
  return { outcome: toOutcome(routed) };
}

/** Reasons of what came from a bank, and is no answer that can be used. */
const UNUSABLE: ReadonlySet<string> = new Set(["unparsable", "mismatch", "undecided"]);

function logUndecided(
  { log, router }: Pick<SubmitTools, "log" | "router">,
  bankRef: string,
  { bank, answer }: Routed<BankAnswer>,
): void {
  if (answer.outcome !== "unknown" && answer.outcome !== "not_sent") return;
  const { outcome, reason } = answer;
  const code = answer.outcome === "unknown" &&
    answer.responseCode !== undefined && { response_code: answer.responseCode };
  const message = UNUSABLE.has(reason) ? "bank's answer decides nothing" : "bank gave no answer";
  const address = router.addressOf(bank);
  log.warn(message, { bank_ref: bankRef, bank, ...(address !== "" && { address }), outcome, reason, ...code });
}

function openCard({ vault, log }: Pick<SubmitTools, "vault" | "log">, request: SubmitRequest): OpenCard {
  try {
    return vault.open(request.sealedCard, request);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    log.error("a sealed card does not open", error, { bank_ref: request.bankRef, problem: error.problem });
    return refuse(Code.Internal, "SEALED_CARD_UNOPENED", `the sealed card does not open: ${error.problem}`);
  }
}
