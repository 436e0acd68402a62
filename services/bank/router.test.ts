import { expect, test } from "vitest";
import { createTestClock } from "../_runtime/clock.ts";
import { createSecret } from "../_runtime/secret.ts";
import { createBreaker } from "./breaker.ts";
import type { BankAnswer, Connector, InquireAnswer, MoneyRequest } from "./connector.ts";
import { type Bank, createRouter } from "./router.ts";

const ACCEPTED: BankAnswer = { outcome: "accepted", responseCode: "00", authorizationCode: "1", networkReference: "2" };
const DECLINED: BankAnswer = {
  outcome: "declined",
  responseCode: "51",
  reason: "insufficient_funds",
  networkReference: "2",
};
const NOT_SENT: BankAnswer = { outcome: "not_sent", reason: "unreachable" };
const UNKNOWN: BankAnswer = { outcome: "unknown", reason: "timeout" };

const BUY: MoneyRequest = {
  bankRef: "buy_1",
  card: { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 },
  amountMinor: 2_000n,
  currencyCode: "USD",
  originalBankRef: "",
  isRepeat: false,
  timeoutMs: 1_000,
};

/** Banks that answer as told and note what they are asked; the real connector is tested where it lives. */
function setup(...banks: (Partial<Bank> & { name: string; says?: BankAnswer; knows?: InquireAnswer })[]) {
  const clock = createTestClock();
  const asked: string[] = [];
  const says = new Map(banks.map(({ name, says }) => [name, says ?? ACCEPTED]));
  const router = createRouter({
    clock,
    banks: banks.map(({ name, knows = { outcome: "not_known" }, ...rules }) => {
      const answer = async () => {
        asked.push(name);
        return says.get(name) ?? ACCEPTED;
      };
      const connector: Connector = {
        capabilities: { idempotentSubmit: true, inquiry: true, reversal: true, lateWindowMs: 0 },
        authorize: answer,
        purchase: answer,
        capture: answer,
        reverse: answer,
        refund: answer,
        verify: async () => ({ ...(await answer()), cvcCheck: "pass" }),
        inquire: async () => knows,
        echo: async () => true,
        close: async () => undefined,
      };
      return { weight: 1, ...rules, name, connector };
    }),
  });
  return { router, clock, asked, says };
}

test("a request goes to a bank that takes its currency and card", async () => {
  const { router, asked } = setup(
    { name: "euro", currencies: new Set(["EUR"]) },
    { name: "amex", cardPrefixes: ["34", "37"] },
    { name: "all", currencies: new Set(["USD"]), cardPrefixes: ["4"] },
  );
  expect(await router.submit("purchase", BUY, "")).toEqual({ bank: "all", answer: ACCEPTED });
  expect(asked).toEqual(["all"]);
});

test("a request that no bank takes is not sent, and names no bank", async () => {
  const { router } = setup({ name: "euro", currencies: new Set(["EUR"]) });
  expect(await router.submit("purchase", BUY, "")).toEqual({ bank: "", answer: NOT_SENT });
});

test("a request falls over to the next bank after not_sent, and only then", async () => {
  for (const says of [ACCEPTED, DECLINED, UNKNOWN]) {
    const { router, asked } = setup({ name: "a", says }, { name: "b", says });
    expect((await router.submit("purchase", BUY, "")).answer).toEqual(says);
    expect(asked.length).toBe(1);
  }
  const { router, asked, says } = setup({ name: "a" }, { name: "b" });
  const { bank: first } = await router.submit("purchase", BUY, "");
  says.set(first, NOT_SENT);
  const { bank: second, answer } = await router.submit("purchase", BUY, "");
  expect([answer, second === first, asked]).toEqual([ACCEPTED, false, [first, first, second]]);
});

test("the same reference goes to the same bank, and many references spread by weight", async () => {
  const { router } = setup({ name: "a", weight: 3 }, { name: "b", weight: 1 });
  const banks = await Promise.all(
    Array.from({ length: 1_000 }, async (_, index) => {
      const buy = { ...BUY, bankRef: `buy_${index}` };
      const [{ bank }, again] = [await router.submit("purchase", buy, ""), await router.submit("purchase", buy, "")];
      expect(again.bank).toBe(bank);
      return bank;
    }),
  );
  expect(Math.abs(banks.filter((bank) => bank === "a").length - 750)).toBeLessThan(60);
});

test("a named repeat goes to its bank and nowhere else, even when that bank cannot be reached", async () => {
  const { router, asked } = setup({ name: "a", says: NOT_SENT }, { name: "b" });
  expect(await router.submit("purchase", { ...BUY, isRepeat: true }, "a")).toEqual({ bank: "a", answer: NOT_SENT });
  expect(asked).toEqual(["a"]);
});

test("an unnamed repeat asks every bank first: what one of them did is the answer, and nothing is sent", async () => {
  const known = { ...DECLINED, outcome: "declined" } as const;
  const { router, asked } = setup({ name: "a" }, { name: "b", knows: known });
  expect(await router.submit("purchase", { ...BUY, isRepeat: true }, "")).toEqual({ bank: "b", answer: known });
  expect(asked).toEqual([]);
});

test("an unnamed repeat is unknown, and not sent, while one of the banks cannot be asked", async () => {
  const { router, asked } = setup({ name: "a" }, { name: "b", knows: { outcome: "unknown", reason: "timeout" } });
  expect(await router.submit("purchase", { ...BUY, isRepeat: true }, "")).toEqual({ bank: "b", answer: UNKNOWN });
  expect(asked).toEqual([]);
});

test("an unnamed repeat that no bank knows is sent", async () => {
  const { router, asked } = setup({ name: "a" }, { name: "b" });
  expect((await router.submit("purchase", { ...BUY, isRepeat: true }, "")).answer).toEqual(ACCEPTED);
  expect(asked.length).toBe(1);
});

test("an inquiry is not_known only when every bank says so", async () => {
  const silent: InquireAnswer = { outcome: "unknown", reason: "timeout" };
  const both = setup({ name: "a" }, { name: "b" });
  const one = setup({ name: "a" }, { name: "b", knows: silent });
  expect((await both.router.inquire(BUY, "")).answer).toEqual({ outcome: "not_known" });
  expect((await one.router.inquire(BUY, "")).answer).toEqual(silent);
  expect((await one.router.inquire(BUY, "a")).answer).toEqual({ outcome: "not_known" });
});

test("a bank that does not answer is left alone after five requests, and tried again after a second", async () => {
  const { router, clock, asked, says } = setup({ name: "a", says: UNKNOWN });
  for (let count = 0; count < 8; count++) await router.submit("purchase", BUY, "");
  expect(asked.length).toBe(5);
  expect((await router.submit("purchase", BUY, "")).answer).toEqual(NOT_SENT);
  clock.advance(1_000);
  says.set("a", ACCEPTED);
  expect((await router.submit("purchase", BUY, "")).answer).toEqual(ACCEPTED);
  await router.submit("purchase", BUY, "");
  expect(asked.length).toBe(7);
});

test("declines, and requests the bank has no words for, do not open the breaker", async () => {
  const { router, asked, says } = setup({ name: "a", says: DECLINED });
  for (let count = 0; count < 8; count++) await router.submit("purchase", BUY, "");
  says.set("a", { outcome: "not_sent", reason: "not_expressible" });
  for (let count = 0; count < 8; count++) await router.submit("purchase", BUY, "");
  expect(asked.length).toBe(16);
});

test("a breaker that is open lets one request through after each pause", () => {
  const clock = createTestClock();
  const breaker = createBreaker(clock);
  for (let count = 0; count < 5; count++) breaker.note(false);
  expect(breaker.mayTry()).toBe(false);
  clock.advance(1_000);
  expect([breaker.mayTry(), breaker.mayTry()]).toEqual([true, false]);
  breaker.note(false);
  clock.advance(1_000);
  expect(breaker.mayTry()).toBe(true);
  breaker.note(true);
  expect([breaker.mayTry(), breaker.mayTry()]).toEqual([true, true]);
});
