import type { Secret } from "../_runtime/secret.ts";
import type { OpenCard } from "./card.ts";
import type { OperationKind } from "./iso8583/dialect.ts";

/** What a bank can do beyond answering, for whoever must find out what became of a request. */
export interface Capabilities {
  /** The same bank reference sent twice has one effect, and the second answer is the first. */
  readonly idempotentSubmit: boolean;
  /** The bank can be asked what became of a bank reference. */
  readonly inquiry: boolean;
  /** A purchase or authorization can be taken back by its bank reference. */
  readonly reversal: boolean;
  /** How long after it was sent a request may still take effect: only after that is "not known" of an inquiry final. */
  readonly lateWindowMs: number;
}

/** What every request to a bank says. */
export interface RequestBase {
  /** Tripe's reference, 1 to 40 printable ASCII characters, the same in every repeat. */
  readonly bankRef: string;
  /** How long from now the answer is waited for; after that the outcome is unknown. */
  readonly timeoutMs: number;
}

/** How a bank's messages name a request, for good: the same in every repeat, and in every later message about it. */
export interface Trace {
  /** 1 to 999,999. */
  readonly traceNumber: number;
  /** When it was first asked for, in milliseconds since 1970. */
  readonly timeMs: number;
}

/** A request that a later one is about. */
export interface Original extends Trace {
  readonly kind: OperationKind;
  /** What the bank gave with it; empty when it gave none, or is not known to have answered. */
  readonly authorizationCode: string;
}

/** Who takes the money, as banks want to know it. Texts may be empty, but for the two ids. */
export interface CardAcceptor {
  readonly name: string;
  readonly city: string;
  /** ISO 3166, two letters. */
  readonly countryCode: string;
  /** ISO 18245, four digits. */
  readonly merchantCategory: string;
  /** As the bank assigned it: up to 15 printable ASCII characters. */
  readonly merchantId: string;
  /** Up to 8. */
  readonly terminalId: string;
  /** IANA's name of the time zone, such as Europe/Paris. */
  readonly timeZone: string;
}

/** What to do with how much money on which card. */
export interface MoneyRequest extends RequestBase {
  readonly card: OpenCard;
  readonly acceptor: CardAcceptor;
  /** Absent of what was begun before Tripe kept trace numbers: it then has another one in each message. */
  readonly trace?: Trace | undefined;
  /** What `originalBankRef` names; absent when that is empty, or of what was begun before Tripe kept trace numbers. */
  readonly original?: Original | undefined;
  /** Above zero, in Tripe's minor units of the currency (services/_runtime/currency.ts). */
  readonly amountMinor: bigint;
  /** ISO 4217, upper case. */
  readonly currencyCode: string;
  /** The bank reference of what this captures, reverses or refunds; empty when there is none. */
  readonly originalBankRef: string;
  /**
   * Whether this may have been sent before, so that the bank is told it is a repeat. Without `idempotentSubmit` a repeat of anything but a
   * reversal is not sent: it is `unknown`, `not_offered`.
   */
  readonly isRepeat: boolean;
}

/** Asks the card's bank whether the card is good, for no money. */
export interface VerifyRequest extends RequestBase {
  readonly card: OpenCard;
  readonly cvc: Secret | undefined;
  readonly acceptor: CardAcceptor;
}

/** Asks what became of a bank reference. */
export interface InquireRequest extends RequestBase {
  /** What was asked then; an answer about another amount is no answer. */
  readonly amountMinor: bigint;
  readonly currencyCode: string;
  readonly acceptor: CardAcceptor;
  /** The request that is asked about; absent of what was begun before Tripe kept trace numbers. */
  readonly about?: Original | undefined;
}

/** The bank did it; final. */
export interface Accepted {
  readonly outcome: "accepted";
  readonly responseCode: string;
  /** Empty when the bank gave none. */
  readonly authorizationCode: string;
  /** The bank's own reference; empty when it gave none. */
  readonly networkReference: string;
}

/** The bank did not do it; final. */
export interface Declined {
  readonly outcome: "declined";
  readonly responseCode: string;
  /** A word of `reasons.ts`. */
  readonly reason: string;
  readonly networkReference: string;
}

/** It is certain that not a byte left for the bank: it may be sent again, also to another bank. */
export interface NotSent {
  readonly outcome: "not_sent";
  readonly reason: "unreachable" | "overloaded" | "not_expressible";
}

/** It may or may not have been done. Never to be taken for a failure. */
export interface Unknown {
  readonly outcome: "unknown";
  /** `undecided`: the bank answered with a code that does not say (reasons.ts). `not_offered`: the bank cannot do what would tell (Capabilities). */
  readonly reason: "timeout" | "connection_lost" | "unparsable" | "mismatch" | "undecided" | "not_offered";
  /** Of `undecided`: the code, for a log. */
  readonly responseCode?: string;
}

/** A bank's answer to a request for money. */
export type BankAnswer = Accepted | Declined | NotSent | Unknown;

/** What a bank says of a CVC; `unavailable` when it does not say, or when none was given. */
export type CvcCheck = "pass" | "fail" | "unavailable";

/** A bank's answer about a card. */
export type VerifyAnswer = BankAnswer & { readonly cvcCheck: CvcCheck };

/** What became of a bank reference. `not_known`: the bank has never heard of it. `unknown`: it could not be asked. */
export type InquireAnswer = Accepted | Declined | Unknown | { readonly outcome: "not_known" };

/**
 * A way to talk to one bank. Every promise is kept in time and resolves: whatever goes wrong on the way is `not_sent` (when certain) or `unknown`.
 * `testing/connector-conformance.ts` has the tests that every connector must pass.
 */
export interface Connector {
  readonly capabilities: Capabilities;
  /** Holds the money; a capture takes it later. */
  authorize(request: MoneyRequest): Promise<BankAnswer>;
  /** Takes the money at once. */
  purchase(request: MoneyRequest): Promise<BankAnswer>;
  /** Takes money that `originalBankRef` holds. */
  capture(request: MoneyRequest): Promise<BankAnswer>;
  /**
   * Undoes `originalBankRef`: lets go of what it holds, or gives back what it took. The same reference sent twice has one effect, at every
   * bank; without `reversal` it is `not_sent`, `not_expressible`.
   */
  reverse(request: MoneyRequest): Promise<BankAnswer>;
  /** Gives money back. */
  refund(request: MoneyRequest): Promise<BankAnswer>;
  verify(request: VerifyRequest): Promise<VerifyAnswer>;
  /** Without `inquiry` it is `unknown`, `not_offered`, and never `not_known`. */
  inquire(request: InquireRequest): Promise<InquireAnswer>;
  /**
   * For how long there has been no way to the bank, in milliseconds; 0 while there is one. Any message from the bank proves that there is;
   * silence alone is none only when the bank was asked whether it is there.
   */
  awayMs(): number;
  /** Why there is no way to the bank, in words for a log; empty while there is one. */
  problem(): string;
  /** Says whether the bank answers at all. */
  echo(timeoutMs: number): Promise<boolean>;
  /** Ends the connection. Requests on the way become unknown. */
  close(): Promise<void>;
}
