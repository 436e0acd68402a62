import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { BankService } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { defaultTimeoutMs } from "../_runtime/deadlines.ts";
import { refuse } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { inquire } from "./inquire.ts";
import type { BankStatus, Router } from "./router.ts";
import { sealCard, verifyCard } from "./seal-card.ts";
import { submit } from "./submit.ts";
import type { Vault } from "./vault.ts";

/** What the bank service needs. */
export interface BankOptions {
  /** The banks of sandbox accounts. */
  readonly router: Router;
  /** The banks of live accounts; absent, what a live account asks for is refused. */
  readonly liveRouter?: Router | undefined;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Makes the bank service. It keeps nothing between calls: what a call opens or reads of a card ends with it. Refuses with
 * LIVE_BANK_MISSING (UNAVAILABLE) what a live account asks for while live accounts have no bank.
 */
export function createBank(options: BankOptions): ServiceImpl<typeof BankService> {
  const { router, liveRouter } = options;
  const toolsOf = (request: { readonly acceptor?: { readonly isLive: boolean } | undefined }) => ({
    ...options,
    router: request.acceptor?.isLive === true ? (liveRouter ?? refuseLive()) : router,
  });
  const verifyTimeoutMs = (context: HandlerContext) => Math.min(bankTimeoutMs(context), VERIFY_MAX_MS);
  return {
    sealCard: (request, context) => sealCard(toolsOf(request), request, verifyTimeoutMs(context)),
    verifyCard: (request, context) => verifyCard(toolsOf(request), request, verifyTimeoutMs(context)),
    submit: (request, context) => submit(toolsOf(request), request, bankTimeoutMs(context)),
    inquire: (request, context) => inquire(toolsOf(request).router, request, bankTimeoutMs(context)),
    getStatus: () => {
      const live = liveRouter?.status() ?? [];
      return {
        banks: [...router.status().map(messageOf), ...live.map((bank) => ({ ...messageOf(bank), isLive: true }))],
      };
    },
  };
}

// Nothing is known to be wrong with the request, and it may be made again once there is a bank.
function refuseLive(): never {
  return refuse(Code.Unavailable, "LIVE_BANK_MISSING", "live accounts have no bank", "acceptor.is_live");
}

// Whole milliseconds: away for less than one is away all the same.
function messageOf({ name, signedOn, awayMs }: BankStatus) {
  return { bank: name, ...(!signedOn && { awayDuration: durationFromMs(Math.max(1, Math.ceil(awayMs))) }) };
}

/**
 * What of a call's time is kept back, so that "unknown" still reaches the caller as an answer instead of as a deadline: ten times a call's
 * own time between processes, rounded up.
 */
const RESERVE_MS = 50;

/** A verification is worth no more of the time that a charge may take with a new card: without an answer its check is unavailable. */
const VERIFY_MAX_MS = 1_500;

function bankTimeoutMs(context: HandlerContext): number {
  return Math.max(1, (context.timeoutMs() ?? defaultTimeoutMs(context.method.name)) - RESERVE_MS);
}
