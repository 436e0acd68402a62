import { expect, test } from "vitest";
import { createTestClock } from "../../_runtime/clock.ts";
import { createSecret } from "../../_runtime/secret.ts";
import type { BankAnswer, MoneyRequest } from "../connector.ts";
import { ACCEPTOR } from "../testing/acceptor.ts";
import { connectTo, startSandbox } from "../testing/sandbox.ts";
import { type FaultKind, parseFaults } from "./faults.ts";

const BUY: MoneyRequest = {
  bankRef: "buy_1",
  acceptor: ACCEPTOR,
  card: { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 },
  amountMinor: 2_000n,
  currencyCode: "USD",
  originalBankRef: "",
  isRepeat: false,
  timeoutMs: 5_000,
};

const faults: [FaultKind, BankAnswer["outcome"], "accepted" | "not_known"][] = [
  ["lose", "unknown", "accepted"],
  ["drop", "unknown", "not_known"],
  ["late", "unknown", "accepted"],
  ["slow", "unknown", "accepted"],
  ["delay", "unknown", "not_known"],
  ["double", "accepted", "accepted"],
  ["reset", "unknown", "accepted"],
  ["malformed", "unknown", "accepted"],
  ["echo", "unknown", "accepted"],
];
const overBoth = faults.flatMap((fault) => (["tcp", "socket"] as const).map((over) => [...fault, over] as const));

test.each(overBoth)(
  "the fault %s ends as %s, the inquiry says %s, and the repeat leads to one effect, over a %s",
  async (kind, outcome, found, over) => {
    const clock = createTestClock();
    const { connector, statement, failNext } = await startSandbox(undefined, clock, over);
    const hasAnswer = ["double", "reset", "malformed", "echo"].includes(kind);
    expect(await connector.echo(5_000)).toBe(true);
    failNext({ kind, lateMs: 60_000 });
    expect((await connector.purchase({ ...BUY, timeoutMs: hasAnswer ? 5_000 : 100 })).outcome).toBe(outcome);
    expect((await connector.inquire(BUY)).outcome).toBe(found);
    expect((await statement()).length).toBe(found === "accepted" ? 1 : 0);
    clock.advance(60_000);
    expect((await connector.purchase({ ...BUY, isRepeat: true })).outcome).toBe("accepted");
    expect((await statement()).length).toBe(1);
  },
);

test("under a mix of all faults, repeats lead every purchase to its one effect: statement and answers agree", async () => {
  const text = "20261122:lose=5,drop=5,late=3,delay=2,double=3,reset=2,malformed=2,echo=2,outage=1,slow=5,scale=0.005";
  const { connector, statement } = await startSandbox(parseFaults(text));
  const settle = async (bankRef: string): Promise<BankAnswer> => {
    for (let tries = 0; ; tries++) {
      const number = createSecret(Number(bankRef) % 10 === 0 ? "4000000000009995" : "4242424242424242");
      const answer = await connector.purchase({
        ...BUY,
        card: { ...BUY.card, number },
        bankRef,
        isRepeat: tries > 0,
        timeoutMs: 150,
      });
      if (answer.outcome === "accepted" || answer.outcome === "declined" || tries === 100) return answer;
    }
  };
  const refs = Array.from({ length: 300 }, (_, index) => String(index));
  const ended = { accepted: [] as string[], declined: [] as string[] };
  const waiting = [...refs];
  const work = async () => {
    for (let ref = waiting.shift(); ref !== undefined; ref = waiting.shift()) {
      const { outcome } = await settle(ref);
      if (outcome === "accepted" || outcome === "declined") ended[outcome].push(ref);
    }
  };
  // Twenty at a time: a reset spoils all that share the connection, and with all at once hardly any would get through.
  await Promise.all(Array.from({ length: 20 }, work));
  expect([ended.accepted.length, ended.declined.length]).toEqual([270, 30]);
  expect((await statement()).map(({ bankRef }) => bankRef).sort()).toEqual(ended.accepted.sort());
}, 20_000);

test("one bank answers many connections, and a reference is one across them", async () => {
  const { connector, sandbox, statement } = await startSandbox();
  const other = connectTo(sandbox.port);
  const answers = await Promise.all([connector.purchase(BUY), other.purchase(BUY), connector.purchase(BUY)]);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect((await statement()).length).toBe(1);
});

test("an outage cuts every connection and refuses new ones; what came with it was not done, and afterwards all is well", async () => {
  const { connector, sandbox, statement, failNext } = await startSandbox();
  const other = connectTo(sandbox.port);
  expect([await connector.echo(5_000), await other.echo(5_000)]).toEqual([true, true]);
  failNext({ kind: "outage", lateMs: 600 });
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "connection_lost" });
  const notSent = { outcome: "not_sent", reason: "unreachable" };
  expect(await other.purchase({ ...BUY, bankRef: "buy_2", timeoutMs: 100 })).toEqual(notSent);
  expect(await statement()).toEqual([]);
  expect(await connector.inquire(BUY)).toEqual({ outcome: "not_known" });
  expect((await connector.purchase({ ...BUY, isRepeat: true })).outcome).toBe("accepted");
  expect((await other.purchase({ ...BUY, bankRef: "buy_2" })).outcome).toBe("accepted");
  expect((await statement()).length).toBe(2);
});

test("a bank that closes in the middle of an outage is closed, and can be opened again", async () => {
  const { connector, sandbox, failNext } = await startSandbox();
  failNext({ kind: "outage", lateMs: 60_000 });
  expect((await connector.purchase(BUY)).outcome).toBe("unknown");
  await sandbox.close();
  expect((await connector.purchase({ ...BUY, timeoutMs: 100 })).outcome).toBe("not_sent");
});
