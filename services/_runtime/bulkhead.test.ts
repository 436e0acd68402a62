import { expect, test } from "vitest";
import { createBulkhead } from "./bulkhead.ts";
import { callerGone, createCall, runCall } from "./call.ts";
import type { CallerName } from "./topology.ts";

/** A bulkhead of a service, and calls that run until they are let go. */
function setup(service: "transactions" | "webhooks" = "transactions") {
  const bulkhead = createBulkhead(service, 2);
  const begun: number[] = [];
  const start = (number: number, caller: CallerName = "scheduler") => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = createCall({ caller });
    const work = async () => {
      begun.push(number);
      await promise;
      return number;
    };
    const ended = runCall(call, () => bulkhead.run(caller, work));
    return { call, ended, end: resolve };
  };
  return { begun, start };
}

test("billing runs wait for their own places, in their order, while the edge's calls run", async () => {
  const { begun, start } = setup();
  const calls = [1, 2, 3, 4].map((number) => start(number));
  const edges = [10, 11, 12].map((number) => start(number, "edge"));
  expect(begun).toEqual([1, 2, 10, 11, 12]);
  calls[1]?.end();
  expect(await calls[1]?.ended).toBe(2);
  await expect.poll(() => begun.slice(5)).toEqual([3]);
  for (const { end } of [...calls, ...edges]) end();
  expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual([1, 2, 3, 4]);
});

test("a call for which nobody waits any more is not begun, and its place is the next one's", async () => {
  const { begun, start } = setup();
  const [first, second, gone, last] = [start(1), start(2), start(3), start(4)];
  gone.call.cancel(callerGone());
  first.end();
  await expect(gone.ended).rejects.toThrow(callerGone().message);
  await expect.poll(() => begun).toEqual([1, 2, 4]);
  second.end();
  last.end();
  expect(await last.ended).toBe(4);
});

test("services that merchants do not wait for give the scheduler every place", () => {
  const { begun, start } = setup("webhooks");
  for (const number of [1, 2, 3, 4]) start(number).end();
  expect(begun).toEqual([1, 2, 3, 4]);
});
