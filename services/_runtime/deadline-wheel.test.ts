import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Clock, createTestClock, systemClock } from "./clock.ts";
import { deadlineWheelOf, SLOT_MS } from "./deadline-wheel.ts";
import { RESERVE_MS } from "./deadlines.ts";

/** A wheel on a clock that stands still, and what has expired, with the time at which it did. */
function setup() {
  const clock = createTestClock();
  const wheel = deadlineWheelOf(clock);
  const startMs = clock.preciseMs();
  const expired = new Map<string, number>();
  const add = (name: string, afterMs: number) => {
    const expiring = { expire: () => void expired.set(name, clock.preciseMs() - startMs) };
    const slot = wheel.add(clock.preciseMs() + afterMs, expiring);
    return () => wheel.remove(slot, expiring);
  };
  return { clock, wheel, expired, add };
}

test("a deadline is never early and at most a slot late, in whatever order deadlines are set", () => {
  const afters = fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(afters, fc.integer({ min: 1, max: 97 }), (list, stepMs) => {
      const { clock, expired, add } = setup();
      for (const [index, afterMs] of list.entries()) add(String(index), afterMs);
      for (let passedMs = 0; passedMs <= 2_100; passedMs += stepMs) clock.advance(stepMs);
      const lateMs = list.map((afterMs, index) => (expired.get(String(index)) ?? Number.NaN) - afterMs);
      expect(lateMs.every((ms) => ms >= 0 && ms <= SLOT_MS)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("a deadline that was taken back does not pass, and those beside it do", () => {
  const { clock, expired, add } = setup();
  const takeBack = add("back", 100);
  add("beside", 100);
  add("later", 5_000);
  takeBack();
  takeBack();
  clock.advance(6_000);
  takeBack();
  expect([...expired.keys()]).toEqual(["beside", "later"]);
});

test("an earlier deadline set later passes first, and one that is over passes at once", () => {
  const { clock, expired, add } = setup();
  add("late", 5_000);
  add("soon", 40);
  add("over", -7);
  clock.advance(0);
  expect([...expired]).toEqual([["over", 0]]);
  clock.advance(5_000);
  expect([...expired.keys()]).toEqual(["over", "soon", "late"]);
});

test("a callee's deadline has passed, and its caller could go on, before the caller's own passes", async () => {
  // All at once: as when the loop stood still over both.
  const clock: Clock = { ...systemClock };
  const wheel = deadlineWheelOf(clock);
  const order: string[] = [];
  const nowMs = clock.preciseMs();
  const ended = Promise.withResolvers<void>();
  const late = (who: string, isLast: boolean) => ({
    expire() {
      order.push(`${who} is late`);
      if (isLast) ended.resolve();
      else void Promise.resolve().then(() => order.push("caller goes on"));
    },
  });
  wheel.add(nowMs + RESERVE_MS + 1, late("caller", true));
  wheel.add(nowMs + 1, late("callee", false));
  while (clock.preciseMs() < nowMs + 3 * RESERVE_MS);
  await ended.promise;
  expect(order).toEqual(["callee is late", "caller goes on", "caller is late"]);
});

test("what stands on the wall clock does not matter", () => {
  const { clock, expired, add } = setup();
  add("one", 1_000);
  clock.setNowMs(0);
  clock.advance(996);
  expect(expired.size).toBe(0);
  clock.advance(4);
  expect(expired.get("one")).toBe(1_000);
});

test("while calls end in time, thousands of deadlines arm a timer in seconds", () => {
  const test = createTestClock();
  let armed = 0;
  const clock: Clock = {
    ...test,
    setTimer(callback, ms) {
      armed += 1;
      return test.setTimer(callback, ms);
    },
  };
  const wheel = deadlineWheelOf(clock);
  const nothing = { expire: () => {} };
  for (let call = 0; call < 10_000; call += 1) {
    const slot = wheel.add(clock.preciseMs() + 5_000 + (call % 3) * 1_000, nothing);
    test.advance(1);
    wheel.remove(slot, nothing);
  }
  expect(armed).toBeLessThan(20);
});

test("deadlines alone do not keep a process alive, on the machine's clock", async () => {
  const clock: Clock = { ...systemClock, setTimer: (callback, ms) => systemClock.setTimer(callback, ms) };
  const wheel = deadlineWheelOf(clock);
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  wheel.add(clock.preciseMs() + 60_000, { expire: () => {} });
  // An unref'd timer is no active resource.
  expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length).toBe(before);
});
