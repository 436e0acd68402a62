import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../_runtime/clock.ts";
import { createRouter } from "../router.ts";
import { connectorConformance } from "./connector-conformance.ts";
import { startPlainBank } from "./plain-bank.ts";
import { createPlainConnector, PLAIN_CAPABILITIES } from "./plain-connector.ts";
import { startSandbox } from "./sandbox.ts";
import { BUY } from "./scripted-bank.ts";

async function setup() {
  const bank = await startPlainBank();
  onTestFinished(() => bank.close());
  const connector = createPlainConnector({ port: bank.port, clock: systemClock });
  return { bank, connector };
}

connectorConformance("a bank without repeats and inquiries", PLAIN_CAPABILITIES, async () => {
  const { bank, connector } = await setup();
  return {
    connector,
    effects: async () => bank.effects(),
    cards: { good: "4242424242424242", poor: "4000000000009995", wrongCvc: "4000000000000127" },
    loseNextAnswer: bank.loseNextAnswer,
    stopBank: bank.close,
  };
});

test("the plain bank does what it is told twice, twice, so that its conformance proves something", async () => {
  const { bank, connector } = await setup();
  await connector.purchase(BUY);
  await connector.purchase(BUY);
  expect(bank.effects()).toEqual(["buy_1", "buy_1"]);
});

test.each([
  ["bankRef", "somebody-else", "mismatch"],
  ["amount", "000000002001", "mismatch"],
  ["currencyNumber", "978", "mismatch"],
  ["code", "Z9", "undecided"],
])("an answer with another %s is unknown", async (key, value, reason) => {
  const { bank, connector } = await setup();
  bank.changeNextAnswer({ [key]: value });
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason });
});

test("two banks of different abilities share a router: each keeps its own rules, and only what both can do is relied on", async () => {
  const [{ bank, connector }, sandbox] = [await setup(), await startSandbox()];
  const banks = [
    { name: "plain", connector, weight: 1 },
    { name: "sandbox", connector: sandbox.connector, weight: 1 },
  ];
  const router = createRouter({ banks, clock: systemClock });
  bank.loseNextAnswer();
  for (const name of ["plain", "sandbox"]) {
    const buy = { ...BUY, bankRef: `${name}_1`, timeoutMs: name === "plain" ? 100 : 5_000 };
    const first = await router.submit("purchase", buy, name);
    const again = await router.submit("purchase", { ...buy, isRepeat: true }, name);
    const outcome = name === "plain" ? "unknown" : "accepted";
    expect([first.answer.outcome, again.answer.outcome], name).toEqual([outcome, outcome]);
  }
  expect([bank.effects(), (await sandbox.statement()).map(({ bankRef }) => bankRef)]).toEqual([
    ["plain_1"],
    ["sandbox_1"],
  ]);
  expect(router.capabilitiesOf("plain", "USD")).toEqual(PLAIN_CAPABILITIES);
  expect(router.capabilitiesOf("", "USD")).toEqual({ ...PLAIN_CAPABILITIES, lateWindowMs: 120_000 });
  // Unnamed, a repeat may be anybody's: with one bank that cannot be asked, nothing is sent.
  const nobody = await router.submit("purchase", { ...BUY, bankRef: "lost", isRepeat: true }, "");
  expect(nobody.answer).toEqual({ outcome: "unknown", reason: "not_offered" });
});
