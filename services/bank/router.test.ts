import { expect, test } from "vitest";
import { createTestClock } from "../_runtime/clock.ts";
import { createSecret } from "../_runtime/secret.ts";
import { AWAY_MS } from "./breaker.ts";
import type { BankAnswer, Capabilities, Connector, InquireAnswer, MoneyRequest } from "./connector.ts";
import { type Bank, createRouter } from "./router.ts";
import { ACCEPTOR } from "./testing/acceptor.ts";

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
  acceptor: ACCEPTOR,
  card: { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 },
  amountMinor: 2_000n,
  currencyCode: "USD",
  originalBankRef: "",
  isRepeat: false,
  timeoutMs: 1_000,
};

interface TestBank {
  readonly name: string;
  readonly says?: BankAnswer;
  readonly knows?: InquireAnswer;
  readonly capabilities?: Capabilities;
}

const CAPABLE: Capabilities = { idempotentSubmit: true, inquiry: true, reversal: true, lateWindowMs: 0 };

/** Banks that answer as told and note what they are asked; the real connector is tested where it lives. */
function setup(...banks: (Partial<Bank> & TestBank)[]) {
  const clock = createTestClock();
  const asked: string[] = [];
  const away = new Map<string, number>();
  const says = new Map(banks.map(({ name, says }) => [name, says ?? ACCEPTED]));
  const router = createRouter({
    clock,
    banks: banks.map(({ name, knows = { outcome: "not_known" }, capabilities = CAPABLE, ...rules }) => {
      const answer = async () => {
        asked.push(name);
        return says.get(name) ?? ACCEPTED;
      };
      const connector: Connector = {
        capabilities,
        authorize: answer,
        purchase: answer,
        capture: answer,
        reverse: answer,
        refund: answer,
        verify: async () => ({ ...(await answer()), cvcCheck: "pass" }),
        inquire: async () => knows,
        awayMs: () => away.get(name) ?? 0,
        problem: () => (away.has(name) ? "nothing listens" : ""),
        echo: async () => true,
        close: async () => undefined,
      };
      return { weight: 1, ...rules, name, connector };
    }),
  });
  return { router, asked, says, away };
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
  expect(await router.submit("purchase", { ...BUY, isRepeat: true }, "")).toEqual({ bank: "", answer: UNKNOWN });
  expect(asked).toEqual([]);
});

test("an unnamed repeat that no bank knows is sent", async () => {
  const { router, asked } = setup({ name: "a" }, { name: "b" });
  expect((await router.submit("purchase", { ...BUY, isRepeat: true }, "")).answer).toEqual(ACCEPTED);
  expect(asked.length).toBe(1);
});

test("an unnamed inquiry names a bank only for that bank's own word, never for its silence", async () => {
  const silent: InquireAnswer = { outcome: "unknown", reason: "timeout" };
  const running: InquireAnswer = { outcome: "unknown", reason: "undecided" };
  const bankOf = async (knows: InquireAnswer) =>
    (await setup({ name: "a" }, { name: "b", knows }).router.inquire(BUY, "")).bank;
  expect([await bankOf(silent), await bankOf(running), await bankOf(ACCEPTED)]).toEqual(["", "b", "b"]);
});

test("an inquiry is not_known only when every bank says so", async () => {
  const silent: InquireAnswer = { outcome: "unknown", reason: "timeout" };
  const both = setup({ name: "a" }, { name: "b" });
  const one = setup({ name: "a" }, { name: "b", knows: silent });
  expect((await both.router.inquire(BUY, "")).answer).toEqual({ outcome: "not_known" });
  expect((await one.router.inquire(BUY, "")).answer).toEqual(silent);
  expect((await one.router.inquire(BUY, "a")).answer).toEqual({ outcome: "not_known" });
});

test("what banks can do is the named one's word, or, unnamed, what all that take the currency have in common", () => {
  const poor = { idempotentSubmit: false, inquiry: true, reversal: false, lateWindowMs: 5 };
  const { router } = setup(
    { name: "a", capabilities: { ...poor, lateWindowMs: 9, reversal: true } },
    { name: "b", capabilities: { ...poor, idempotentSubmit: true } },
    { name: "euro", currencies: new Set(["EUR"]), capabilities: { ...poor, inquiry: false, lateWindowMs: 20 } },
  );
  expect(router.capabilitiesOf("b", "USD")).toEqual({ ...poor, idempotentSubmit: true });
  expect(router.capabilitiesOf("", "USD")).toEqual({ ...poor, lateWindowMs: 9 });
  expect(router.capabilitiesOf("", "EUR")).toEqual({ ...poor, inquiry: false, lateWindowMs: 20 });
  expect(router.capabilitiesOf("gone", "USD")).toEqual({ ...poor, inquiry: false, lateWindowMs: 0 });
});

test("a bank that was away for ten seconds is left alone until it is back, and a request goes to the next bank at once", async () => {
  const { router, asked, away } = setup({ name: "a" });
  away.set("a", AWAY_MS - 1);
  expect((await router.submit("purchase", BUY, "")).answer).toEqual(ACCEPTED);
  away.set("a", AWAY_MS);
  expect((await router.submit("purchase", BUY, "")).answer).toEqual(NOT_SENT);
  expect(asked.length).toBe(1);
  away.set("a", 0);
  expect((await router.submit("purchase", BUY, "")).answer).toEqual(ACCEPTED);
  const two = setup({ name: "a" }, { name: "b" });
  const { bank: first } = await two.router.submit("purchase", BUY, "");
  two.away.set(first, AWAY_MS);
  const { bank: second, answer } = await two.router.submit("purchase", BUY, "");
  expect([answer, second === first]).toEqual([ACCEPTED, false]);
});

test("no answer that is lost, declined or cannot be asked for keeps the next request from a bank that is there", async () => {
  const { router, asked, says } = setup({ name: "a" });
  for (const answer of [UNKNOWN, DECLINED, NOT_SENT, { ...NOT_SENT, reason: "not_expressible" } as const]) {
    says.set("a", answer);
    for (let count = 0; count < 50; count++) await router.submit("purchase", BUY, "");
  }
  expect(asked.length).toBe(200);
});
