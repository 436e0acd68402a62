import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, onTestFinished, test, vi } from "vitest";
import { Sweep } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { refusalOf, refuse } from "../_runtime/errors.ts";
import { type ResolveAttempts, settle, setupScheduler } from "./testing/scheduler.ts";

// Thousands of turns of the loop on a busy machine take their time; that is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

const HOUR_MS = 3_600_000;

/** Starts a scheduler that counts its sweeps of attempts. */
function setup(resolveAttempts: ResolveAttempts = () => ({})) {
  const sweeps = { count: 0, running: 0, mostRunning: 0, limits: new Set<number>() };
  const counted: ResolveAttempts = async (request, context) => {
    sweeps.count += 1;
    sweeps.running += 1;
    sweeps.mostRunning = Math.max(sweeps.mostRunning, sweeps.running);
    sweeps.limits.add(request.limit);
    try {
      return await resolveAttempts(request, context);
    } finally {
      sweeps.running -= 1;
    }
  };
  const made = setupScheduler(counted);
  onTestFinished(() => made.scheduler.close());
  const pass = async (ms: number) => {
    made.clock.advance(ms);
    await settle();
  };
  const status = async () => {
    const [attempts] = (await made.client.getStatus({})).sweeps;
    if (attempts === undefined) throw new Error("there is a sweep of attempts");
    return attempts;
  };
  return { ...made, sweeps, pass, status };
}

test("attempts are swept at once and then every second, a hundred at a time", async () => {
  const { sweeps, pass } = setup();
  await settle();
  expect(sweeps.count).toBe(1);
  await pass(999);
  expect(sweeps.count).toBe(1);
  await pass(1);
  expect(sweeps.count).toBe(2);
  for (let second = 0; second < 5; second += 1) await pass(1_000);
  expect(sweeps.count).toBe(7);
  expect([...sweeps.limits]).toEqual([100]);
});

test("a sweep with its hands full is followed by another at once", async () => {
  const left = [100, 100, 30];
  const { sweeps, pass } = setup(() => ({ takenCount: left.shift() ?? 0 }));
  await settle();
  expect(sweeps.count).toBe(3);
  await pass(1_000);
  expect(sweeps.count).toBe(4);
});

test("a sweep that is never done pauses after a hundred rounds", async () => {
  const { sweeps, pass } = setup(() => ({ takenCount: 100 }));
  await settle();
  expect(sweeps.count).toBe(100);
  await pass(1_000);
  expect(sweeps.count).toBe(200);
});

test("a slow sweep is not run twice at once, and who asks for one shares it", async () => {
  const gate = Promise.withResolvers<void>();
  const { sweeps, pass, client } = setup(async () => {
    await gate.promise;
    return { takenCount: 7, settledCount: 5 };
  });
  await settle();
  const asked = [1, 2, 3].map(() => client.runSweep({ sweep: Sweep.ATTEMPTS }));
  await pass(5_000);
  expect(sweeps.count).toBe(1);
  gate.resolve();
  for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ takenCount: 7, doneCount: 5 });
  expect(sweeps).toMatchObject({ count: 1, mostRunning: 1 });
});

test("who asks for a sweep between two gets one at once", async () => {
  const { sweeps, client } = setup(() => ({ takenCount: 3, settledCount: 2 }));
  await settle();
  expect(await client.runSweep({ sweep: Sweep.ATTEMPTS })).toMatchObject({ takenCount: 3, doneCount: 2 });
  expect(sweeps.count).toBe(2);
});

test("a sweep that fails is tried again after 2, 4, 8, 16 and then every 30 seconds", async () => {
  const { sweeps, pass } = setup(() => {
    throw new ConnectError("nobody there", Code.FailedPrecondition);
  });
  await settle();
  const times: number[] = [];
  for (let second = 1; second <= 92; second += 1) {
    const before = sweeps.count;
    await pass(1_000);
    if (sweeps.count > before) times.push(second);
  }
  expect(times).toEqual([2, 6, 14, 30, 60, 90]);
});

test("failures are counted and said, and forgotten at the next success", async () => {
  let answer: () => object = () => refuse(Code.Aborted, "LEASE_TAKEN", "somebody else sweeps");
  const { clock, log, pass, status } = setup(() => answer());
  await settle();
  expect(await status()).toMatchObject({ sweep: Sweep.ATTEMPTS, failureCount: 1, failureReason: "LEASE_TAKEN" });
  expect((await status()).successTime).toBeUndefined();
  expect(log.errors).toMatchObject([{ message: "a sweep failed" }]);
  answer = () => {
    throw new ConnectError("full", Code.ResourceExhausted);
  };
  await pass(2_000);
  expect(await status()).toMatchObject({ failureCount: 2, failureReason: "RESOURCE_EXHAUSTED" });
  answer = () => ({});
  await pass(4_000);
  const well = await status();
  expect(well).toMatchObject({ failureCount: 0, failureReason: "" });
  expect(well.successTime && timestampMs(well.successTime)).toBe(clock.nowMs());
  await pass(1_000);
  expect((await status()).failureCount).toBe(0);
});

test("who asks for a sweep that fails is told", async () => {
  const { client } = setup(() => refuse(Code.Aborted, "LEASE_TAKEN", "somebody else sweeps"));
  await settle();
  const refusal = await client.runSweep({ sweep: Sweep.ATTEMPTS }).catch((error: unknown) => refusalOf(error));
  expect(refusal).toMatchObject({ code: Code.Aborted, reason: "LEASE_TAKEN" });
});

test("a sweep nobody knows is refused", async () => {
  const { client } = setup();
  const refusal = await client.runSweep({ sweep: Sweep.UNSPECIFIED }).catch((error: unknown) => refusalOf(error));
  expect(refusal).toMatchObject({ code: Code.InvalidArgument, reason: "SWEEP_UNKNOWN", field: "sweep" });
});

test.each([
  ["more than 25 hours ahead", 25 * HOUR_MS + 1],
  ["a millisecond back", -1_001],
  ["a year back", -8_760 * HOUR_MS],
])("when the clock is set %s, one round is left out and an alert is logged", async (_how, jumpMs) => {
  const { clock, log, sweeps, pass } = setup();
  await settle();
  clock.setNowMs(clock.nowMs() + jumpMs);
  await pass(1_000);
  expect(sweeps.count).toBe(1);
  // Every sweep looks for itself: attempts, holds, renewals, collections, mails, events, deliveries.
  const alert = { message: expect.stringMatching(/^ALERT: time jumped/) };
  expect(log.errors).toMatchObject(Array(7).fill(alert));
  await pass(1_000);
  expect(sweeps.count).toBe(2);
  expect(log.errors).toHaveLength(7);
});

test("a clock that is put right by less goes unnoticed, and so does a long wait", async () => {
  const { clock, log, sweeps, pass } = setup();
  await settle();
  clock.setNowMs(clock.nowMs() + 25 * HOUR_MS);
  await pass(1_000);
  clock.setNowMs(clock.nowMs() - 500);
  await pass(1_000);
  await pass(100 * HOUR_MS);
  expect(sweeps.count).toBeGreaterThanOrEqual(4);
  expect(log.errors).toEqual([]);
});

test("stopping waits for the sweep under way and starts no other", async () => {
  const gate = Promise.withResolvers<void>();
  const { scheduler, sweeps, pass } = setup(async () => {
    await gate.promise;
    return { takenCount: 100 };
  });
  await settle();
  let isStopped = false;
  const stopped = scheduler.close().then(() => {
    isStopped = true;
  });
  await settle();
  expect(isStopped).toBe(false);
  gate.resolve();
  await stopped;
  await pass(60_000);
  expect(sweeps.count).toBe(1);
});
