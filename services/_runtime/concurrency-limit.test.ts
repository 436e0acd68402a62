import fc from "fast-check";
import { expect, test } from "vitest";
import { createConcurrencyLimit, type EndOne } from "./concurrency-limit.ts";
import { createSimulation, type SimulatedOutcome } from "./testing/simulate-load.ts";

/** As the edge's. */
const bounds = { min: 128, max: 256, targetMs: 300 };

/** Some 760 requests a second at 256 in progress, 730 at 128, 110 at one: as two busy cores. */
const usual = { batchMs: 8, requestMs: 1.25 };

/** A fifth of it. */
const slow = { batchMs: 40, requestMs: 6.25 };

function setup(service = usual, options: Partial<typeof bounds> = {}) {
  const { clock, run } = createSimulation();
  const limit = createConcurrencyLimit({ clock, ...bounds, ...options });
  const load = (perS: number, seconds: number, of = service) => run(limit, { perS, seconds, service: of });
  return { limit, load };
}

const percentile = ({ takenMs }: SimulatedOutcome, share: number) => takenMs[Math.floor(takenMs.length * share)] ?? 0;

/** The most that a service answers, whatever the limit: each is held at one that does not move. */
function peakOf(service: typeof usual, perS: number): number {
  const fixed = [16, 32, 64, 128, 256].map((count) => setup(service, { min: count, max: count }).load(perS, 10));
  return Math.max(...fixed.map(({ answeredPerS }) => answeredPerS));
}

test("under a load that can be carried nothing is refused", () => {
  const { limit, load } = setup();
  expect(load(400, 30).refusedCount).toBe(0);
  expect(limit.limit()).toBe(256);
});

test.each([2, 5])("at %i times the peak four fifths of it are answered, none much later than the target", (times) => {
  for (const service of [usual, slow]) {
    const perS = times * peakOf(service, 5_000);
    const { load } = setup(service);
    load(perS, 5);
    const outcome = load(perS, 30);
    expect(outcome.answeredPerS).toBeGreaterThanOrEqual(0.8 * peakOf(service, perS));
    // Where the least that is let in already waits for longer, no limit helps.
    const leastMs = 2 * (service.batchMs + bounds.min * service.requestMs);
    expect(percentile(outcome, 0.99)).toBeLessThan(3 * Math.max(bounds.targetMs, leastMs));
  }
});

test("a service that is slow for a minute brings the limit down, and within ten seconds after it is up again", () => {
  const { load } = setup();
  load(400, 10);
  const during = load(400, 60, slow);
  expect(during.refusedCount).toBeGreaterThan(0);
  expect(during.limits.at(-1)).toBeLessThan(140);
  const after = load(400, 10);
  expect(after.limits).toContain(256);
  expect(load(400, 10).refusedCount).toBe(0);
});

test("a second in which everything stands still takes no place off", () => {
  const { load } = setup();
  load(100, 10);
  expect(load(100, 1, { batchMs: 1_500, requestMs: 0 }).refusedCount).toBe(0);
  const after = load(100, 10);
  expect(after.refusedCount).toBe(0);
  expect(new Set(after.limits)).toEqual(new Set([256]));
});

test("an overload that lasts does not become what is usual", () => {
  const { load } = setup(slow);
  const first = load(1_000, 60);
  load(1_000, 240);
  const last = load(1_000, 60);
  expect(last.limits.at(-1)).toBeLessThanOrEqual((first.limits.at(-1) ?? 0) * 1.2);
});

test("whatever takes however long, the limit keeps its bounds, and has room whenever fewer than the least are in progress", () => {
  const step = fc.record({
    passMs: fc.integer({ min: 0, max: 5_000 }),
    begins: fc.nat({ max: 40 }),
    ends: fc.nat({ max: 40 }),
    ownMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true })),
    kind: fc.constantFrom("charge", "list", "one"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let nowMs = 0;
      const limit = createConcurrencyLimit({ clock: { preciseMs: () => nowMs }, ...bounds, min: 8 });
      const running: EndOne[] = [];
      for (const { passMs, begins, ends, ownMs, kind } of steps) {
        nowMs += passMs;
        for (let count = 0; count < begins && limit.hasRoom(); count += 1) running.push(limit.begin());
        for (const end of running.splice(0, ends)) {
          end(ownMs === null ? undefined : { kind, ownMs });
          // A second end of one is none.
          end({ kind, ownMs: 0 });
        }
        expect(limit.inProgress()).toBe(running.length);
        expect(limit.limit()).toBeGreaterThanOrEqual(8);
        expect(limit.limit()).toBeLessThanOrEqual(256);
        if (running.length < 8) expect(limit.hasRoom()).toBe(true);
        if (limit.hasRoom(0.5)) expect(limit.hasRoom()).toBe(true);
      }
    }),
  );
});
