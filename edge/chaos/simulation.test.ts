import { afterAll, expect, test } from "vitest";
import { createTestDatabase } from "../../services/_database/testing.ts";
import { openSimulatedDatabase } from "./simulation/database.ts";
import { simulate } from "./simulation/run.ts";

const database = await openSimulatedDatabase((await createTestDatabase()).urls);
afterAll(() => database.close());

/** The size of T29 in `npm test`; the planted bugs of services/transactions/README.md were found by some of them. */
const SEEDS_COUNT = 100;

/** Half a second a seed on two cores that do nothing else. */
const patient = { timeout: 1_200_000 };

/** The traces of seeds that run twice. */
const REPLAYED = [2, 7, 19];
const traces = new Map<number, readonly string[]>();

test(
  "a hundred seeds of crashes, losses and bad banks: each key one effect, no answer lost, the books balance",
  patient,
  async () => {
    const failures: string[] = [];
    let turnsCount = 0;
    let deathsCount = 0;
    for (let seed = 1; seed <= SEEDS_COUNT; seed += 1) {
      const { problems, trace } = await simulate(database, seed);
      if (REPLAYED.includes(seed)) traces.set(seed, trace);
      turnsCount += trace.length;
      deathsCount += trace.filter((line) => line.endsWith(" dies")).length;
      if (problems.length > 0) failures.push(`node edge/chaos/simulate.ts seed=${seed}: ${problems.join("; ")}`);
    }
    process.stdout.write(`${SEEDS_COUNT} seeds, ${turnsCount} turns, ${deathsCount} deaths of a process\n`);
    expect(failures).toEqual([]);
    expect(deathsCount).toBeGreaterThan(SEEDS_COUNT);
  },
);

test.each(REPLAYED)("seed %i does the same again, to the byte", patient, async (seed) => {
  const first = traces.get(seed) ?? (await simulate(database, seed)).trace;
  const again = await simulate(database, seed);
  expect(again.trace.join("\n")).toBe(first.join("\n"));
  expect(first.length).toBeGreaterThan(100);
});
