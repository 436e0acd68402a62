import { expect, test } from "vitest";
import { type Clock, createTestClock, systemClock, type TestClock } from "../../_runtime/clock.ts";
import type { Original } from "../connector.ts";
import type { Message } from "../iso8583/codec.ts";
import { BUY, type React, reply, startScripted } from "../testing/scripted-bank.ts";

const UNDO = { ...BUY, bankRef: "undo_1", originalBankRef: "buy_1" };

/** A bank that answers purchases, and treats the n-th sending of a reversal as told; the last word holds for all that follow. */
async function setup(words: React[], clock: Clock = systemClock) {
  const react: React = (request, socket) => {
    if (request.type.startsWith("04")) (words.length > 1 ? words.shift() : words[0])?.(request, socket);
    else reply(socket, request, {});
  };
  const bank = await startScripted(react, { clock });
  const reversals = () => bank.requests.filter(({ type }) => type.startsWith("04"));
  return { ...bank, reversals };
}

/** Lets time pass until so many have been sent; from then on it stands still. */
async function passUntil(clock: TestClock, reversals: () => Message[], count: number) {
  await expect.poll(() => [clock.advance(500), reversals().length][1], { timeout: 10_000 }).toBe(count);
}

const silent: React = () => undefined;
const good: React = (request, socket) => reply(socket, request, {});

test("a reversal names its original's type, trace number, time, acquirer and code, in every repeat the same", async () => {
  const clock = createTestClock();
  const { connector, reversals } = await setup([silent, good], clock);
  const original: Original = {
    kind: "authorize",
    traceNumber: 4_711,
    timeMs: Date.UTC(2026, 10, 30, 23, 59, 58, 999),
    authorizationCode: "A1B2",
  };
  const trace = { traceNumber: 4_712, timeMs: Date.UTC(2026, 11, 1, 0, 0, 1) };
  const undone = connector.reverse({ ...UNDO, original, trace, timeoutMs: 600_000 });
  await passUntil(clock, reversals, 2);
  expect(await undone).toMatchObject({ outcome: "accepted" });
  const about = `0100${"004711"}${"1130235958"}${"00000000001"}${"00000000000"}`;
  const said = ["buy_1", about, "A1B2  ", "1201000001", "004712", "633500004712"];
  expect(reversals().map(({ fields }) => [61, 90, 38, 7, 11, 37].map((number) => Reflect.get(fields, number)))).toEqual(
    [said, said],
  );
});

test("a reversal of what has no trace names zeros, and its original by the reference", async () => {
  const { connector, reversals } = await setup([good]);
  expect(await connector.reverse(UNDO)).toMatchObject({ outcome: "accepted" });
  expect(reversals()[0]?.fields[90]).toBe(`${"0".repeat(30)}1${"0".repeat(11)}`);
});

test.each<[string, React]>([
  ["is lost", silent],
  ["cannot be read", (request, socket) => reply(socket, request, { 63: "somebody-else" })],
  ["is cut off by a reset", (_request, socket) => socket.resetAndDestroy()],
])("a reversal whose acknowledgement %s is sent again as 0401, until the bank acknowledges it", async (_name, word) => {
  const clock = createTestClock();
  const { connector, reversals } = await setup([word, word, good], clock);
  const undone = connector.reverse({ ...UNDO, timeoutMs: 600_000 });
  await passUntil(clock, reversals, 3);
  expect(await undone).toMatchObject({ outcome: "accepted" });
  const types = reversals().map(({ type }: Message) => type);
  expect(types).toEqual(["0400", "0401", "0401"]);
  expect(new Set(reversals().map(({ fields }) => fields[63]))).toEqual(new Set(["undo_1"]));
  expect(new Set(reversals().map(({ fields }) => fields[11])).size).toBe(3);
});

test("a reversal that nobody acknowledges in time is unknown; one that was sent before begins with 0401", async () => {
  const { connector, reversals } = await setup([silent]);
  const undo = { ...UNDO, timeoutMs: 100 };
  expect(await connector.reverse(undo)).toEqual({ outcome: "unknown", reason: "timeout" });
  expect(await connector.reverse({ ...undo, isRepeat: true })).toEqual({ outcome: "unknown", reason: "timeout" });
  expect(reversals().map(({ type }) => type)).toEqual(["0400", "0401"]);
});

test("a reversal that was sent once stays unknown when the bank is away at its repeat", async () => {
  const { connector, server } = await setup([
    (_request, socket) => {
      server.close();
      socket.destroy();
    },
  ]);
  expect(await connector.reverse({ ...UNDO, timeoutMs: 2_100 })).toEqual({
    outcome: "unknown",
    reason: "connection_lost",
  });
});

test("a decline and an answer that does not decide are acknowledgements: the reversal is sent once", async () => {
  for (const [code, outcome] of [
    ["12", "declined"],
    ["09", "unknown"],
  ] as const) {
    const { connector, reversals } = await setup([(request, socket) => reply(socket, request, { 39: code })]);
    expect(await connector.reverse({ ...UNDO, timeoutMs: 10_000 })).toMatchObject({ outcome });
    expect(reversals().length).toBe(1);
  }
});
