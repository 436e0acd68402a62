import { expect, test } from "vitest";
import { createTestClock } from "../services/_runtime/clock.ts";
import { Problem } from "./problem.ts";
import { createSharedRuns } from "./shared-runs.ts";

function setup() {
  const clock = createTestClock();
  const runs = createSharedRuns<number>({ clock, restMs: 50, waitingMax: 3 });
  const ends: (() => void)[] = [];
  let state = 1;
  return {
    clock,
    ends,
    change: () => {
      state += 1;
    },
    ask: (name = "a") =>
      runs.run(name, async () => {
        const seen = state;
        await new Promise<void>((resolve) => ends.push(resolve));
        return seen;
      }),
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("who asks while a run goes on shares the next one, and sees what was changed before", async () => {
  const { clock, ends, change, ask } = setup();
  const first = ask();
  change();
  const [second, third] = [ask(), ask()];
  ends[0]?.();
  expect(await first).toBe(1);
  await settle();
  expect(ends.length).toBe(1);
  clock.advance(50);
  await settle();
  expect(ends.length).toBe(2);
  ends[1]?.();
  expect(await Promise.all([second, third])).toEqual([2, 2]);
});

test("runs of other names do not wait, and too many who wait for one are refused", async () => {
  const { ends, ask } = setup();
  void ask("a");
  const waiting = Array.from({ length: 4 }, () => ask("a"));
  const other = ask("b");
  ends[1]?.();
  expect(await other).toBe(1);
  const refused = await Promise.race(waiting.map((result) => result.catch((error: unknown) => error)));
  expect(refused).toBeInstanceOf(Problem);
  expect(refused).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
});

test("a run that fails fails for all who share it, and for no later one", async () => {
  const clock = createTestClock();
  const runs = createSharedRuns<number>({ clock, restMs: 0, waitingMax: 3 });
  await expect(runs.run("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  clock.advance(1);
  await settle();
  expect(await runs.run("a", async () => 2)).toBe(2);
});
