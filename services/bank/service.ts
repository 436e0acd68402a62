import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { BankService } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { defaultTimeoutMs } from "../_runtime/deadlines.ts";
import type { Log } from "../_runtime/log.ts";
import { inquire } from "./inquire.ts";
import type { BankStatus, Router } from "./router.ts";
import { sealCard, verifyCard } from "./seal-card.ts";
import { submit } from "./submit.ts";
import type { Vault } from "./vault.ts";

/** What the bank service needs. */
export interface BankOptions {
  readonly router: Router;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the bank service. It keeps nothing between calls: what a call opens or reads of a card ends with it. */
export function createBank(options: BankOptions): ServiceImpl<typeof BankService> {
  return {
    sealCard: (request, context) => sealCard(options, request, Math.min(bankTimeoutMs(context), VERIFY_MAX_MS)),
    verifyCard: (request, context) => verifyCard(options, request, Math.min(bankTimeoutMs(context), VERIFY_MAX_MS)),
    submit: (request, context) => submit(options, request, bankTimeoutMs(context)),
    inquire: (request, context) => inquire(options.router, request, bankTimeoutMs(context)),
    getStatus: () => ({ banks: options.router.status().map(messageOf) }),
  };
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
