import { expect, test } from "vitest";
import { replaceUnderCalls } from "./testing/replace-probe.ts";

test("a process is killed with kill -9 and replaced five times under 50 calls a second, and no call fails that may be repeated", async () => {
  const { callsCount, failures, processesCount } = await replaceUnderCalls(5);
  expect(failures).toEqual([]);
  expect(processesCount).toBeGreaterThanOrEqual(5);
  expect(callsCount).toBeGreaterThan(50);
});
