import { expect, test } from "vitest";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { settle, setupScheduler } from "./testing/scheduler.ts";

test("CVCs past their hour are erased while there are any, and looked for once a minute", async () => {
  // As a flood of pages leaves them: three calls full, then none.
  const left = [1_000, 1_000, 10];
  let callsCount = 0;
  const { clock, client, scheduler } = setupScheduler(
    () => ({}),
    () => {
      callsCount += 1;
      return { erasedCount: left.shift() ?? 0 };
    },
  );
  await settle();
  for (let run = 0; run < 6; run += 1) await client.runSweep({ sweep: Sweep.HOLDS });
  expect([left, callsCount]).toEqual([[], 4]);
  clock.advance(59_000);
  await settle();
  await client.runSweep({ sweep: Sweep.HOLDS });
  expect(callsCount).toBe(4);
  clock.advance(1_000);
  await settle();
  await client.runSweep({ sweep: Sweep.HOLDS });
  expect(callsCount).toBe(5);
  await scheduler.close();
});
