import { createHash } from "node:crypto";
import type { Clock } from "../_runtime/clock.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import type {
  BankAnswer,
  Capabilities,
  Connector,
  InquireAnswer,
  InquireRequest,
  MoneyRequest,
  NotSent,
  RequestBase,
  VerifyAnswer,
  VerifyRequest,
} from "./connector.ts";
import type { OperationKind } from "./iso8583/dialect.ts";

/** A bank and what is sent to it. */
export interface Bank {
  /** Stored with every attempt, so that a repeat finds its bank: never changes. Up to 40 characters. */
  readonly name: string;
  readonly connector: Connector;
  /** Where it is, for a log: the name says nothing of that. */
  readonly address?: string;
  /** The currencies it takes, ISO 4217; absent for all. */
  readonly currencies?: ReadonlySet<string>;
  /** The first digits of the cards it takes; absent for all. */
  readonly cardPrefixes?: readonly string[];
  /** Its share of the requests that several banks take; above zero. */
  readonly weight: number;
}

/** An answer, and the name of the bank that gave it; the name is empty when no bank was asked. */
export interface Routed<T> {
  readonly bank: string;
  readonly answer: T;
}

/** Whether a bank can be asked now. */
export interface BankStatus {
  readonly name: string;
  readonly signedOn: boolean;
  /** For how long it could not be asked, in milliseconds; 0 while it can. */
  readonly awayMs: number;
  /** Why not, in words for a log; empty while it can. */
  readonly reason: string;
}

/** Which bank a request goes to. `bank` names the one that was asked before; empty for the rules' choice. */
export interface Router {
  /**
   * Sends a request for money, first to the bank that the rules choose by its reference, then to the next one that takes it, but only after
   * `not_sent`. A repeat goes nowhere but to the bank that may have it: the named one, or, unnamed, the one that knows it.
   */
  submit(kind: OperationKind, request: MoneyRequest, bank: string): Promise<Routed<BankAnswer>>;
  /** Asks a bank about a card; the next one after `not_sent`. */
  verify(request: VerifyRequest): Promise<Routed<VerifyAnswer>>;
  /** Asks the named bank, or, unnamed, all that take the currency; `not_known` only when every one of them says so. */
  inquire(request: InquireRequest, bank: string): Promise<Routed<InquireAnswer>>;
  /** What the named bank can do; unnamed, what every bank that takes the currency can do, which is nothing when there is none. */
  capabilitiesOf(name: string, currencyCode: string): Capabilities;
  /** How it stands with each bank now. */
  status(): BankStatus[];
  /** Where the named bank is, for a log; empty when that is not known. */
  addressOf(name: string): string;
  /** Says whether there is a bank of this name. */
  has(name: string): boolean;
  close(): Promise<void>;
}

/** Makes a router. Names of banks must differ. */
export function createRouter({ banks, clock }: { banks: readonly Bank[]; clock: Clock }): Router {
  const guarded = banks.map((bank): Guarded => ({ ...bank, breaker: createBreaker(bank.connector) }));
  const named = (name: string) => guarded.filter((bank) => bank.name === name);
  const askable = (name: string, currencyCode: string) =>
    name === "" ? guarded.filter((bank) => takesCurrency(bank, currencyCode)) : named(name);
  const inquireAll = async (request: InquireRequest, name: string): Promise<Routed<InquireAnswer>> => {
    const found = await Promise.all(
      askable(name, request.currencyCode).map(async (bank) => ({
        bank: bank.name,
        answer: await bank.connector.inquire(request),
      })),
    );
    const chosen = choose(found) ?? { bank: name, answer: { outcome: "not_known" } };
    // One of several that could not be asked need not be the one that has it: whoever remembered its name would ask no other.
    return isWord(chosen.answer) ? chosen : { ...chosen, bank: name };
  };
  const tryEach = async <R extends RequestBase, A extends BankAnswer>(
    tried: readonly Guarded[],
    request: R,
    send: (bank: Guarded, request: R) => Promise<A>,
    nowhere: A,
  ): Promise<Routed<A>> => {
    const endMs = clock.preciseMs() + request.timeoutMs;
    let last: Routed<A> = { bank: "", answer: nowhere };
    for (const bank of tried) {
      if (!bank.breaker.mayTry()) continue;
      const timeoutMs = Math.max(0, endMs - clock.preciseMs());
      last = { bank: bank.name, answer: await send(bank, { ...request, timeoutMs }) };
      if (last.answer.outcome !== "not_sent") return last;
    }
    return last;
  };
  return {
    has: (name) => named(name).length > 0,
    addressOf: (name) => named(name)[0]?.address ?? "",
    status: () => banks.map(statusOf),
    capabilitiesOf: (name, currencyCode) => common(askable(name, currencyCode)),
    inquire: inquireAll,
    verify: (request) =>
      tryEach(order(guarded, request.bankRef), request, (bank, timed) => bank.connector.verify(timed), {
        ...NOWHERE,
        cvcCheck: "unavailable",
      }),
    async submit(kind, request, name) {
      const send = (bank: Guarded, timed: MoneyRequest) => bank.connector[kind](timed);
      if (name !== "") return tryEach(named(name), request, send, NOWHERE);
      const taking = order(guarded, request.bankRef).filter((bank) => takes(bank, request));
      if (request.isRepeat && taking.length > 1) {
        // Any of them may have had it, and another one would do it a second time.
        const { bank, answer } = await inquireAll(request, "");
        if (answer.outcome !== "not_known") return { bank, answer };
      }
      return tryEach(taking, request, send, NOWHERE);
    },
    close: async () => {
      await Promise.all(banks.map((bank) => bank.connector.close()));
    },
  };
}

function statusOf({ name, connector }: Bank): BankStatus {
  const [awayMs, reason] = [connector.awayMs(), connector.problem()];
  return { name, signedOn: reason === "" && awayMs === 0, awayMs, reason };
}

interface Guarded extends Bank {
  readonly breaker: Breaker;
}

/** No bank takes it, or each is down. */
const NOWHERE: NotSent = { outcome: "not_sent", reason: "unreachable" };

function takes(bank: Bank, request: MoneyRequest): boolean {
  const number = request.card.number.reveal();
  const takesCard = bank.cardPrefixes?.some((prefix) => number.startsWith(prefix)) ?? true;
  return takesCard && takesCurrency(bank, request.currencyCode);
}

function takesCurrency(bank: Bank, currencyCode: string): boolean {
  return bank.currencies?.has(currencyCode) ?? true;
}

/**
 * Orders banks by weight and chance, where the chance comes from the reference alone: the same reference has the same order, also after a
 * restart (weighted rendezvous hashing: each bank draws -ln(u) / weight, the smallest comes first).
 */
function order(banks: readonly Guarded[], bankRef: string): Guarded[] {
  const draw = ({ name, weight }: Bank): number => {
    const hash = createHash("sha256").update(`${name}\n${bankRef}`).digest().readUIntBE(0, 6);
    return -Math.log((hash + 1) / (2 ** 48 + 1)) / weight;
  };
  const drawn = banks.map((bank) => ({ bank, drawn: draw(bank) }));
  return drawn.sort((left, right) => left.drawn - right.drawn).map(({ bank }) => bank);
}

/** What can be relied on whichever of these banks it is. */
function common(banks: readonly Bank[]): Capabilities {
  const can = (flag: "idempotentSubmit" | "inquiry" | "reversal") =>
    banks.length > 0 && banks.every(({ connector }) => connector.capabilities[flag]);
  return {
    idempotentSubmit: can("idempotentSubmit"),
    inquiry: can("inquiry"),
    reversal: can("reversal"),
    lateWindowMs: Math.max(0, ...banks.map(({ connector }) => connector.capabilities.lateWindowMs)),
  };
}

/** Whether an answer is a bank's own word on a reference, rather than the want of one. */
function isWord(answer: InquireAnswer): boolean {
  return answer.outcome === "unknown" ? answer.reason === "undecided" : answer.outcome !== "not_known";
}

/** Of several banks' words on one reference: what one of them did, else that one could not be asked, else undefined: none knows it. */
function choose(found: readonly Routed<InquireAnswer>[]): Routed<InquireAnswer> | undefined {
  const by = (outcome: InquireAnswer["outcome"]) => found.find(({ answer }) => answer.outcome === outcome);
  return by("accepted") ?? by("unknown") ?? by("declined");
}
