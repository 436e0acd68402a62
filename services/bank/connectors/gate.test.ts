import { expect, test } from "vitest";
import { createTestClock, systemClock } from "../../_runtime/clock.ts";
import { startScripted } from "../testing/scripted-bank.ts";
import { openConnection } from "./connection.ts";
import { createGate } from "./gate.ts";

async function setup() {
  const { port } = await startScripted(() => undefined);
  const clock = createTestClock();
  const connect = () =>
    openConnection({ host: "127.0.0.1", port }, { clock: systemClock, timeoutMs: 5_000, onStray: () => undefined });
  return { gate: createGate(clock), clock, connect };
}

test("a connection that is dying, but whose end has not been told, is not given to anybody", async () => {
  const { gate, connect } = await setup();
  const [first, second] = [await connect(), await connect()];
  gate.open(first);
  expect(await gate.pass(1_000)).toBe(first);
  first.destroy("test");
  const passing = gate.pass(1_000);
  expect([gate.current(), gate.shutMs()]).toEqual([undefined, 0]);
  gate.open(second);
  expect(await passing).toBe(second);
  second.destroy("test");
});

test("who waits is sent away when the time is over, and when the gate ends", async () => {
  const { gate, clock } = await setup();
  const passing = gate.pass(1_000);
  clock.advance(1_000);
  expect([await passing, gate.shutMs()]).toEqual([undefined, 1_000]);
  const waiting = gate.pass(1_000);
  gate.end();
  expect([await waiting, await gate.pass(1_000)]).toEqual([undefined, undefined]);
});

test("the time without a connection is counted from the loss of the last one", async () => {
  const { gate, clock, connect } = await setup();
  const connection = await connect();
  clock.advance(500);
  gate.open(connection);
  expect(gate.shutMs()).toBe(0);
  clock.advance(500);
  gate.shut("test");
  gate.shut("test");
  clock.advance(70);
  expect(gate.shutMs()).toBe(70);
  connection.destroy("test");
});
