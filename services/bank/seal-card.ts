import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { SealCardRequest, VerifyCardRequest } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import type { Secret } from "../_runtime/secret.ts";
import { type CardProblem, type OpenCard, readCard } from "./card.ts";
import { factsOf } from "./card-facts.ts";
import type { CardAcceptor, CvcCheck } from "./connector.ts";
import { acceptorOf } from "./messages.ts";
import type { Router } from "./router.ts";
import type { Vault } from "./vault.ts";

/** What sealing a card needs. */
export interface SealCardTools {
  readonly router: Router;
  readonly vault: Vault;
  readonly clock: Clock;
}

/**
 * Checks a card, asks the bank to verify it when there is a CVC, unless that is deferred, and seals it. Refuses INCORRECT_NUMBER, INVALID_EXPIRY_MONTH,
 * INVALID_EXPIRY_YEAR and INVALID_CVC (INVALID_ARGUMENT, with the field). A card that the bank declines is sealed all the same, and the answer says
 * why; so is one of a bank that cannot be asked: the check is then unavailable. `timeoutMs` is the time for the bank.
 */
export async function sealCard(tools: SealCardTools, request: SealCardRequest, timeoutMs: number) {
  const { vault, clock } = tools;
  assert(request.card !== undefined, "a request to seal a card has a card");
  const today = request.businessTime === undefined ? new Date(clock.nowMs()) : timestampDate(request.businessTime);
  const reading = readCard(request.card, today);
  if (!reading.isCard) refuseCard(reading.problem);
  const { card, cvc, brand } = reading;
  const isDeferred = request.isVerificationDeferred;
  const verified =
    cvc === undefined || isDeferred
      ? UNVERIFIED
      : await verify(tools.router, { card, cvc, timeoutMs, acceptor: acceptorOf(request) });
  const number = card.number.reveal();
  return {
    card: {
      brand,
      last4: number.slice(-4),
      expMonth: card.expMonth,
      expYear: card.expYear,
      ...factsOf(number),
      fingerprint: vault.fingerprint(card.number),
      cvcCheck: verified.cvcCheck,
    },
    sealedCard: vault.seal(card, request),
    ...(cvc !== undefined && isDeferred && { sealedCvc: vault.sealCvc(cvc, request) }),
    ...(verified.decline === undefined ? {} : { verificationDecline: verified.decline }),
  };
}

/**
 * Asks the bank to verify a sealed card with its sealed CVC. A bank that cannot be asked leaves the check unavailable. Throws
 * SealError, which is a fault of Tripe's own, when one does not open.
 */
export async function verifyCard(
  { router, vault }: Pick<SealCardTools, "router" | "vault">,
  request: VerifyCardRequest,
  timeoutMs: number,
) {
  const card = vault.open(request.sealedCard, request);
  const cvc = vault.openCvc(request.sealedCvc, request);
  const { cvcCheck, decline } = await verify(router, { card, cvc, timeoutMs, acceptor: acceptorOf(request) });
  return { cvcCheck, ...(decline && { verificationDecline: decline }) };
}

const REFUSALS: Readonly<Record<CardProblem, { field: string; message: string }>> = {
  INCORRECT_NUMBER: { field: "card.number", message: "the card number is not a card's" },
  INVALID_EXPIRY_MONTH: { field: "card.exp_month", message: "the month of expiry is none, or past" },
  INVALID_EXPIRY_YEAR: { field: "card.exp_year", message: "the year of expiry is none, past, or too far ahead" },
  INVALID_CVC: { field: "card.cvc", message: "the card verification code is not one" },
};

function refuseCard(problem: CardProblem): never {
  const { field, message } = REFUSALS[problem];
  return refuse(Code.InvalidArgument, problem, message, field);
}

const CHECKS: Readonly<Record<CvcCheck, CheckResult>> = {
  pass: CheckResult.PASS,
  fail: CheckResult.FAIL,
  unavailable: CheckResult.UNAVAILABLE,
};

interface Verified {
  readonly cvcCheck: CheckResult;
  readonly decline?: { readonly reason: string; readonly responseCode: string };
}

const UNVERIFIED: Verified = { cvcCheck: CheckResult.UNCHECKED };

/** A verification moves nothing, so one that is lost may be forgotten: it has a reference of its own each time. */
async function verify(
  router: Router,
  verification: { card: OpenCard; cvc: Secret; timeoutMs: number; acceptor: CardAcceptor },
): Promise<Verified> {
  const { answer } = await router.verify({ bankRef: createId("ver_"), ...verification });
  const cvcCheck = CHECKS[answer.cvcCheck];
  if (answer.outcome !== "declined") return { cvcCheck };
  return { cvcCheck, decline: { reason: answer.reason, responseCode: answer.responseCode } };
}
