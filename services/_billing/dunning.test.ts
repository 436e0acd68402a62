import fc from "fast-check";
import { expect, test } from "vitest";
import { isHardDecline, nextAttempt, SCHEDULE_DAYS } from "./dunning.ts";

const DAY_MS = 86_400_000;
const failedAt = new Date("2026-03-28T12:00:00Z");

test("an invoice is tried again 1, 3, 7 and 14 days after each failure, and then no more", () => {
  const attempts = [1, 2, 3, 4, 5].map((attemptCount) => nextAttempt({ attemptCount, failedAt })?.toISOString());
  expect(attempts).toEqual([
    "2026-03-29T12:00:00.000Z",
    "2026-03-31T12:00:00.000Z",
    "2026-04-04T12:00:00.000Z",
    "2026-04-11T12:00:00.000Z",
    undefined,
  ]);
});

test("an account's own schedule takes the place of ours, and an empty one retries nothing", () => {
  const attemptOf = (attemptCount: number) => nextAttempt({ attemptCount, failedAt, scheduleDays: [5, 2] });
  expect([1, 2, 3].map(attemptOf)).toEqual([new Date("2026-04-02T12:00Z"), new Date("2026-03-30T12:00Z"), undefined]);
  expect(nextAttempt({ attemptCount: 1, failedAt, scheduleDays: [] })).toBeUndefined();
});

test.each(["lost_card", "stolen_card", "pickup_card", "do_not_try_again", "incorrect_number", "stop_payment_order"])(
  "the hard decline %s stops the ladder at any step",
  (declineReason) => {
    expect(isHardDecline(declineReason)).toBe(true);
    for (const attemptCount of [1, 2, 3, 4]) {
      expect(nextAttempt({ attemptCount, failedAt, declineReason })).toBeUndefined();
    }
  },
);

test.each(["insufficient_funds", "do_not_honor", "generic_decline", "expired_card", "processing_error", ""])(
  "after %j the card is tried again",
  (declineReason) => {
    expect(isHardDecline(declineReason)).toBe(false);
    expect(nextAttempt({ attemptCount: 1, failedAt, declineReason })).toEqual(new Date("2026-03-29T12:00:00Z"));
  },
);

test("the same failure told twice gives the same answer, never an earlier time, and every ladder ends", () => {
  const anySchedule = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 });
  fc.assert(
    fc.property(anySchedule, fc.integer({ min: 1, max: 20 }), (scheduleDays, attemptCount) => {
      const failure = { attemptCount, failedAt, scheduleDays };
      const next = nextAttempt(failure);
      expect(nextAttempt(failure)).toEqual(next);
      expect(next === undefined).toBe(attemptCount > scheduleDays.length);
      if (next !== undefined) expect(next.getTime()).toBeGreaterThanOrEqual(failedAt.getTime() + DAY_MS);
    }),
  );
});

test("no attempts, no date and no whole days are bugs", () => {
  expect(SCHEDULE_DAYS).toEqual([1, 3, 7, 14]);
  expect(() => nextAttempt({ attemptCount: 0, failedAt })).toThrow("0 attempts cannot have failed");
  expect(() => nextAttempt({ attemptCount: 1, failedAt: new Date(Number.NaN) })).toThrow("an invalid date");
  expect(() => nextAttempt({ attemptCount: 1, failedAt, scheduleDays: [0] })).toThrow("other than whole days");
});
