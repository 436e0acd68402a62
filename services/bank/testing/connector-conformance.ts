import { expect, test } from "vitest";
import { createSecret } from "../../_runtime/secret.ts";
import type { OpenCard } from "../card.ts";
import type { Capabilities, Connector, MoneyRequest } from "../connector.ts";
import { ACCEPTOR } from "./acceptor.ts";

/** What the suite needs to judge a connector. */
export interface Bench {
  readonly connector: Connector;
  /** The bank references of the effects on money the bank really had, in order: its statement, read from its side. */
  effects(): Promise<string[]>;
  /** A card that the bank accepts, one that it declines for want of funds, and one whose CVC it says is wrong. */
  readonly cards: { readonly good: string; readonly poor: string; readonly wrongCvc: string };
  /** Makes the bank do the next request and lose its answer. */
  loseNextAnswer(): void;
  /** Makes the bank unreachable: nothing listens any more. */
  stopBank(): Promise<void>;
}

/** Time enough for a bank on the same machine. */
const TIMEOUT_MS = 5_000;
/** What is waited for an answer that never comes. */
const SHORT_MS = 150;

/**
 * The tests that every bank connector must pass, over a bank of its own that `setup` starts and the test's end stops. What is expected
 * follows what the bank can do: a bank that can less must say so, and must then be left alone.
 */
export function connectorConformance(name: string, capabilities: Capabilities, setup: Setup): void {
  test(`${name}: the connector says what its bank can do`, async () => {
    expect((await setup()).connector.capabilities).toEqual(capabilities);
  });
  conformsOnPurchases(name, setup);
  if (capabilities.idempotentSubmit) conformsOnRepeats(name, setup);
  else conformsWithoutRepeats(name, setup);
  conformsOnFollowUps(name, setup);
  if (capabilities.reversal) conformsOnReversals(name, setup);
  conformsOnVerifications(name, setup);
  if (capabilities.inquiry) conformsOnInquiries(name, setup);
  else conformsWithoutInquiries(name, setup);
  conformsOnFailures(name, capabilities, setup);
}

type Setup = () => Promise<Bench>;

function conformsOnPurchases(name: string, setup: Setup): void {
  test(`${name}: a purchase is accepted with an authorization code and the bank's reference, and has one effect`, async () => {
    const { connector, effects, cards } = await setup();
    const answer = await connector.purchase(request({ number: cards.good, bankRef: "buy_1" }));
    expect(answer).toMatchObject({ outcome: "accepted", responseCode: "00" });
    expect(answer.outcome === "accepted" && answer.authorizationCode).not.toBe("");
    expect(answer.outcome === "accepted" && answer.networkReference).not.toBe("");
    expect(await effects()).toEqual(["buy_1"]);
  });

  test(`${name}: a declined purchase has a reason and no effect`, async () => {
    const { connector, effects, cards } = await setup();
    const answer = await connector.purchase(request({ number: cards.poor, bankRef: "buy_1" }));
    expect(answer).toMatchObject({ outcome: "declined", reason: "insufficient_funds" });
    expect(await effects()).toEqual([]);
  });
}

function conformsOnRepeats(name: string, setup: Setup): void {
  test(`${name}: the same reference sent again has the same answer and no second effect`, async () => {
    const { connector, effects, cards } = await setup();
    const buy = request({ number: cards.good, bankRef: "buy_1" });
    const [first, raced] = await Promise.all([connector.purchase(buy), connector.purchase(buy)]);
    const repeated = await connector.purchase({ ...buy, isRepeat: true });
    expect([raced, repeated]).toEqual([first, first]);
    expect(await effects()).toEqual(["buy_1"]);
  });

  test(`${name}: the same reference with another amount is unknown, and has no effect`, async () => {
    const { connector, effects, cards } = await setup();
    await connector.purchase(request({ number: cards.good, bankRef: "buy_1" }));
    const other = await connector.purchase(request({ number: cards.good, bankRef: "buy_1", amountMinor: 2_001n }));
    expect(other).toMatchObject({ outcome: "unknown" });
    expect(await effects()).toEqual(["buy_1"]);
  });
}

function conformsWithoutRepeats(name: string, setup: Setup): void {
  test(`${name}: a repeat of anything but a reversal is unknown and not sent, whether the first was done or not`, async () => {
    const { connector, effects, cards } = await setup();
    const buy = request({ number: cards.good, bankRef: "buy_1" });
    await connector.purchase(buy);
    const notOffered = { outcome: "unknown", reason: "not_offered" };
    for (const bankRef of ["buy_1", "buy_2"]) {
      const repeat = { ...buy, bankRef, originalBankRef: "buy_1", isRepeat: true };
      for (const kind of ["purchase", "authorize", "capture", "refund"] as const) {
        expect(await connector[kind](repeat), kind).toEqual(notOffered);
      }
    }
    expect(await effects()).toEqual(["buy_1"]);
  });
}

function conformsOnFollowUps(name: string, setup: Setup): void {
  test(`${name}: an authorization is captured for part of it, once`, async () => {
    const { connector, effects, cards } = await setup();
    const follow = (bankRef: string, amountMinor: bigint) =>
      connector.capture(request({ number: cards.good, bankRef, amountMinor, originalBankRef: "hold_1" }));
    expect(await connector.authorize(request({ number: cards.good, bankRef: "hold_1" }))).toMatchObject({
      outcome: "accepted",
    });
    expect(await effects()).toEqual([]);
    expect(await follow("take_1", 2_001n)).toMatchObject({ outcome: "declined", reason: "invalid_amount" });
    expect(await follow("take_2", 1_500n)).toMatchObject({ outcome: "accepted" });
    expect(await follow("take_3", 500n)).toMatchObject({ outcome: "declined" });
    expect(await effects()).toEqual(["take_2"]);
  });

  test(`${name}: refunds give back parts, never more than was taken`, async () => {
    const { connector, effects, cards } = await setup();
    const refund = (bankRef: string, amountMinor: bigint, originalBankRef = "buy_1") =>
      connector.refund(request({ number: cards.good, bankRef, amountMinor, originalBankRef }));
    await connector.purchase(request({ number: cards.good, bankRef: "buy_1" }));
    const raced = await Promise.all([refund("back_1", 1_500n), refund("back_2", 1_500n)]);
    expect(raced.map(({ outcome }) => outcome).sort()).toEqual(["accepted", "declined"]);
    expect(await refund("back_3", 500n)).toMatchObject({ outcome: "accepted" });
    expect(await refund("back_4", 1n)).toMatchObject({ outcome: "declined", reason: "invalid_amount" });
    expect(await refund("back_5", 1n, "nobody")).toMatchObject({ outcome: "declined" });
    expect((await effects()).length).toBe(3);
  });
}

function conformsOnReversals(name: string, setup: Setup): void {
  test(`${name}: a reversal undoes a hold or a purchase, once`, async () => {
    const { connector, effects, cards } = await setup();
    const undo = (bankRef: string, originalBankRef: string) =>
      connector.reverse(request({ number: cards.good, bankRef, originalBankRef }));
    await connector.authorize(request({ number: cards.good, bankRef: "hold_1" }));
    await connector.purchase(request({ number: cards.good, bankRef: "buy_1" }));
    expect(await undo("undo_1", "hold_1")).toMatchObject({ outcome: "accepted" });
    expect(await undo("undo_2", "buy_1")).toMatchObject({ outcome: "accepted" });
    expect(await undo("undo_3", "buy_1")).toMatchObject({ outcome: "declined" });
    const take = request({ number: cards.good, bankRef: "take_1", originalBankRef: "hold_1" });
    expect(await connector.capture(take)).toMatchObject({ outcome: "declined" });
    expect(await effects()).toEqual(["buy_1", "undo_2"]);
  });

  test(`${name}: a reversal sent again has the same answer and no second effect`, async () => {
    const { connector, effects, cards } = await setup();
    await connector.purchase(request({ number: cards.good, bankRef: "buy_1" }));
    const undo = request({ number: cards.good, bankRef: "undo_1", originalBankRef: "buy_1" });
    const first = await connector.reverse(undo);
    expect(first).toMatchObject({ outcome: "accepted" });
    expect(await connector.reverse({ ...undo, isRepeat: true })).toEqual(first);
    expect(await effects()).toEqual(["buy_1", "undo_1"]);
  });

  test(`${name}: a purchase whose answer is lost can be taken back, and has then no effect left`, async () => {
    const { connector, effects, cards, loseNextAnswer } = await setup();
    expect(await connector.echo(TIMEOUT_MS)).toBe(true);
    loseNextAnswer();
    const buy = request({ number: cards.good, bankRef: "buy_1" });
    expect(await connector.purchase({ ...buy, timeoutMs: SHORT_MS })).toMatchObject({ outcome: "unknown" });
    const undo = { ...buy, bankRef: "undo_1", originalBankRef: "buy_1" };
    expect(await connector.reverse(undo)).toMatchObject({ outcome: "accepted" });
    expect(await effects()).toEqual(["buy_1", "undo_1"]);
  });
}

function conformsOnVerifications(name: string, setup: Setup): void {
  test(`${name}: a verification says whether the CVC fits, and has no effect`, async () => {
    const { connector, effects, cards } = await setup();
    const verify = (number: string, cvc?: string) =>
      connector.verify({
        bankRef: `check_${number}`,
        timeoutMs: TIMEOUT_MS,
        acceptor: ACCEPTOR,
        card: card(number),
        cvc: cvc === undefined ? undefined : createSecret(cvc),
      });
    expect(await verify(cards.good, "314")).toMatchObject({ outcome: "accepted", cvcCheck: "pass" });
    expect(await verify(cards.good)).toMatchObject({ outcome: "accepted", cvcCheck: "unavailable" });
    expect(await verify(cards.wrongCvc, "314")).toMatchObject({
      outcome: "declined",
      reason: "incorrect_cvc",
      cvcCheck: "fail",
    });
    expect(await effects()).toEqual([]);
  });
}

function conformsOnInquiries(name: string, setup: Setup): void {
  test(`${name}: an inquiry finds what was accepted and declined, and says when the reference was never used`, async () => {
    const { connector, cards } = await setup();
    const inquire = (bankRef: string, amountMinor = 2_000n) =>
      connector.inquire({ bankRef, amountMinor, currencyCode: "USD", timeoutMs: TIMEOUT_MS, acceptor: ACCEPTOR });
    const accepted = await connector.purchase(request({ number: cards.good, bankRef: "buy_1" }));
    const declined = await connector.purchase(request({ number: cards.poor, bankRef: "buy_2" }));
    expect([await inquire("buy_1"), await inquire("buy_2")]).toEqual([accepted, declined]);
    expect(await inquire("buy_3")).toEqual({ outcome: "not_known" });
    expect(await inquire("buy_1", 1_999n)).toMatchObject({ outcome: "unknown", reason: "mismatch" });
  });
}

function conformsWithoutInquiries(name: string, setup: Setup): void {
  test(`${name}: an inquiry is unknown, and nobody is told that a reference was never used`, async () => {
    const { connector, cards } = await setup();
    await connector.purchase(request({ number: cards.good, bankRef: "buy_1" }));
    for (const bankRef of ["buy_1", "buy_2"]) {
      const inquiry = { bankRef, amountMinor: 2_000n, currencyCode: "USD", timeoutMs: TIMEOUT_MS, acceptor: ACCEPTOR };
      expect(await connector.inquire(inquiry)).toEqual({ outcome: "unknown", reason: "not_offered" });
    }
  });
}

function conformsOnFailures(name: string, capabilities: Capabilities, setup: Setup): void {
  test(`${name}: an answer that never comes is unknown, until the bank can be asked or told again`, async () => {
    const { connector, effects, cards, loseNextAnswer } = await setup();
    expect(await connector.echo(TIMEOUT_MS)).toBe(true);
    loseNextAnswer();
    const buy = request({ number: cards.good, bankRef: "buy_1" });
    expect(await connector.purchase({ ...buy, timeoutMs: SHORT_MS })).toEqual({
      outcome: "unknown",
      reason: "timeout",
    });
    const found = await connector.inquire({ ...buy, timeoutMs: TIMEOUT_MS });
    const repeated = await connector.purchase({ ...buy, isRepeat: true });
    expect(found.outcome).toBe(capabilities.inquiry ? "accepted" : "unknown");
    expect(repeated.outcome).toBe(capabilities.idempotentSubmit ? "accepted" : "unknown");
    if (capabilities.inquiry && capabilities.idempotentSubmit) expect(repeated).toEqual(found);
    expect(await effects()).toEqual(["buy_1"]);
  });

  test(`${name}: what the bank's language cannot say is never sent`, async () => {
    const { connector, effects, cards } = await setup();
    const good = request({ number: cards.good, bankRef: "buy_1" });
    const notSent = { outcome: "not_sent", reason: "not_expressible" };
    expect(await connector.purchase({ ...good, currencyCode: "ZZZ" })).toEqual(notSent);
    expect(await connector.purchase({ ...good, amountMinor: 10n ** 13n })).toEqual(notSent);
    expect(await connector.purchase({ ...good, bankRef: "ä" })).toEqual(notSent);
    expect(await connector.purchase({ ...good, bankRef: "x".repeat(41) })).toEqual(notSent);
    expect(await effects()).toEqual([]);
  });

  test(`${name}: with nobody listening a request is not sent, an inquiry learns nothing, an echo says no`, async () => {
    const { connector, cards, stopBank } = await setup();
    await stopBank();
    const buy = { ...request({ number: cards.good, bankRef: "buy_1" }), timeoutMs: SHORT_MS };
    expect(await connector.purchase(buy)).toEqual({ outcome: "not_sent", reason: "unreachable" });
    expect(await connector.inquire(buy)).toMatchObject({ outcome: "unknown" });
    expect(await connector.echo(SHORT_MS)).toBe(false);
    await expect.poll(() => connector.awayMs()).toBeGreaterThan(0);
  });
}

function request({ number, ...change }: Partial<MoneyRequest> & { number: string; bankRef: string }): MoneyRequest {
  return {
    card: card(number),
    acceptor: ACCEPTOR,
    amountMinor: 2_000n,
    currencyCode: "USD",
    originalBankRef: "",
    isRepeat: false,
    timeoutMs: TIMEOUT_MS,
    ...change,
  };
}

function card(number: string): OpenCard {
  return { number: createSecret(number), expMonth: 12, expYear: 2034 };
}
