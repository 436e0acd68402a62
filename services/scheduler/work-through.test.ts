import { expect, test } from "vitest";
import { systemClock } from "../_runtime/clock.ts";
import { silentLog as log } from "../_runtime/log.ts";
import { workThrough } from "./work-through.ts";

/** A machine on which rows take turns: each takes so long of its time, and waits for those begun before it. */
function setup() {
  let nowMs = 0;
  const clock = { ...systemClock, preciseMs: () => nowMs };
  /** Works a set of a hundred through, and gives the most rows that were under way at once at its end. */
  const runSet = async (rowMs: number, lanesCount = 16): Promise<number> => {
    let running = 0;
    let most = 0;
    const work = async (row: number) => {
      running += 1;
      if (row > 80) most = Math.max(most, running);
      await Promise.resolve();
      nowMs += rowMs;
      running -= 1;
      return true;
    };
    const rows = Array.from({ length: 100 }, (_, row) => row);
    const { doneCount } = await workThrough({ rows, work, lanesCount, name: "rows", clock, log });
    expect(doneCount).toBe(100);
    return most;
  };
  return { runSet };
}

test("due rows are worked on by all lanes while nothing delays them", async () => {
  const { runSet } = setup();
  expect(await runSet(1)).toBe(16);
  expect(await runSet(5)).toBe(16);
});

test("due rows yield while the machine is busy, two at a time at the least, and have their lanes back after it", async () => {
  const { runSet } = setup();
  await runSet(1);
  for (let set = 0; set < 5; set += 1) await runSet(90);
  expect(await runSet(90)).toBe(2);
  for (let set = 0; set < 60; set += 1) await runSet(5);
  expect(await runSet(5)).toBe(16);
});
