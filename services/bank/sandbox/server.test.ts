import { expect, test } from "vitest";
import { createSecret } from "../../_runtime/secret.ts";
import type { BankAnswer, MoneyRequest } from "../connector.ts";
import { connectTo, startSandbox } from "../testing/sandbox.ts";
import { type FaultKind, parseFaults } from "./faults.ts";

const BUY: MoneyRequest = {
  bankRef: "buy_1",
  card: { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 },
  amountMinor: 2_000n,
  currencyCode: "USD",
  originalBankRef: "",
  isRepeat: false,
  timeoutMs: 150,
};

test.each<[FaultKind, BankAnswer["outcome"], number]>([
  ["lose", "unknown", 1],
  ["drop", "unknown", 0],
  ["late", "unknown", 1],
  ["delay", "unknown", 0],
  ["double", "accepted", 1],
  ["reset", "unknown", 1],
  ["malformed", "unknown", 1],
  ["echo", "unknown", 1],
])(
  "the fault %s ends as %s with %i effects, and the repeat is accepted with one effect in all",
  async (kind, outcome, effects) => {
    const { connector, statement, failNext } = await startSandbox();
    expect(await connector.echo(2_000)).toBe(true);
    failNext({ kind, lateMs: 400 });
    expect((await connector.purchase(BUY)).outcome).toBe(outcome);
    expect((await statement()).length).toBe(effects);
    const repeat = { ...BUY, isRepeat: true, timeoutMs: 3_000 };
    expect((await connector.purchase(repeat)).outcome).toBe("accepted");
    expect((await statement()).length).toBe(1);
  },
);

test("under a mix of all faults, repeats lead every purchase to its one effect: statement and answers agree", async () => {
  const text = "20261122:lose=5,drop=5,late=3,delay=2,double=3,reset=2,malformed=2,echo=2,scale=0.005";
  const { connector, statement } = await startSandbox(parseFaults(text));
  const settle = async (bankRef: string): Promise<BankAnswer> => {
    for (let tries = 0; ; tries++) {
      const number = createSecret(Number(bankRef) % 10 === 0 ? "4000000000009995" : "4242424242424242");
      const answer = await connector.purchase({ ...BUY, card: { ...BUY.card, number }, bankRef, isRepeat: tries > 0 });
      if (answer.outcome === "accepted" || answer.outcome === "declined" || tries === 20) return answer;
    }
  };
  const refs = Array.from({ length: 300 }, (_, index) => String(index));
  const answers = await Promise.all(refs.map(settle));
  const accepted = refs.filter((_, index) => answers[index]?.outcome === "accepted");
  expect(answers.filter(({ outcome }) => outcome === "declined").length).toBe(30);
  expect((await statement()).map(({ bankRef }) => bankRef).sort()).toEqual(accepted.sort());
  expect(accepted.length).toBe(270);
});

test("one bank answers many connections, and a reference is one across them", async () => {
  const { connector, sandbox, statement } = await startSandbox();
  const other = connectTo(sandbox.port);
  const buy = { ...BUY, timeoutMs: 3_000 };
  const answers = await Promise.all([connector.purchase(buy), other.purchase(buy), connector.purchase(buy)]);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect((await statement()).length).toBe(1);
});
