import { expect, test } from "vitest";
import { createTestClock, systemClock } from "./clock.ts";

test("a test clock fires timers in the order they fall due, at their time", () => {
  const clock = createTestClock(1_000);
  const fired: string[] = [];
  clock.setTimer(() => fired.push(`late ${clock.nowMs()}`), 20);
  clock.setTimer(() => {
    fired.push(`early ${clock.nowMs()}`);
    clock.setTimer(() => fired.push(`nested ${clock.nowMs()}`), 5);
  }, 10);
  const cancel = clock.setTimer(() => fired.push("never"), 15);
  cancel();
  clock.advance(30);
  expect(fired).toEqual(["early 1010", "nested 1015", "late 1020"]);
  expect(clock.nowMs()).toBe(1_030);
});

test("setting a test clock back moves the date, not the measuring", () => {
  const clock = createTestClock(10_000);
  clock.setNowMs(5_000);
  clock.advance(1);
  expect(clock.nowMs()).toBe(5_001);
  expect(clock.preciseMs()).toBe(10_001);
});

test("sleep ends when time has passed, or at once when its signal is aborted", async () => {
  const clock = createTestClock();
  const slept = clock.sleep(1_000);
  clock.advance(1_000);
  await slept;
  const controller = new AbortController();
  const cut = clock.sleep(1_000, controller.signal);
  controller.abort(new Error("enough"));
  await expect(cut).rejects.toThrow("enough");
  await expect(clock.sleep(1, controller.signal)).rejects.toThrow("enough");
});

test("the system clock measures without going back, beside the date", async () => {
  const before = systemClock.preciseMs();
  await systemClock.sleep(2);
  expect(systemClock.preciseMs()).toBeGreaterThan(before);
  expect(Math.abs(systemClock.preciseMs() - systemClock.nowMs())).toBeLessThan(5_000);
});
