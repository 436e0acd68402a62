import { readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../services/_runtime/clock.ts";
import { type ReplaceableName, replaceableNames } from "../../services/_supervisor/replaceable.ts";
import type { Bench, Phase } from "./phases.ts";
import { signal } from "./processes.ts";
import { replaceProcesses } from "./replace.ts";
import { type SteadyLoad, startLoad } from "./steady-load.ts";
import { until, type WholeTripe } from "./whole-tripe.ts";

const RATES = { chargesPerS: 50, readsPerS: 50 };

/** What a replacement may add to the slowest charge of a hundred. */
const ADDED_MAX_MS = 1_000;

/** The load alone, which the load beside replacements is held against; the first seconds of a start do not count. */
const WARM_UP_MS = 10_000;
const ALONE_MS = 20_000;

/** Replacements of each service and the edge beside a load; the size is rounds of all, of which each drains and kills. */
export const replacements: Readonly<Record<string, Phase>> = {
  replacements: {
    row: "T50",
    sentence: `npm run replace of each service and the edge, the former drained, then another one's former killed with kill -9, under ${RATES.chargesPerS} charges and ${RATES.readsPerS} reads a second, rounds`,
    size: 20,
    async run(bench, rounds) {
      await loadFor(bench, WARM_UP_MS);
      const alone = await loadFor(bench, ALONE_MS);
      noteAll(bench, "a charge alone", alone.chargesMs);
      for (let round = 0; round < rounds; round += 1) {
        await replaceDrained(bench, percentile(alone.chargesMs));
        await replaceKilled(bench);
      }
    },
  },
};

async function loadFor({ merchant }: Bench, ms: number): Promise<SteadyLoad> {
  const load = startLoad(merchant, RATES);
  await systemClock.sleep(ms);
  await load.end();
  return load;
}

/** Not one request may fail at its first try. */
async function replaceDrained(bench: Bench, aloneMs: number): Promise<void> {
  const { tripe, merchant, random, note } = bench;
  const load = startLoad(merchant, RATES);
  for (const name of random.shuffle(replaceableNames)) {
    const startMs = systemClock.preciseMs();
    await replaceProcesses(tripe, [name]);
    note(`${name}, until the former one is gone`, systemClock.preciseMs() - startMs);
  }
  await load.end();
  noteAll(bench, "a charge beside replacements", load.chargesMs);
  noteAll(bench, "a read beside replacements", load.readsMs);
  for (const failure of load.failures) merchant.faults.push(`beside a replacement failed ${failure}`);
  const addedMs = percentile(load.chargesMs) - aloneMs;
  if (addedMs > ADDED_MAX_MS)
    merchant.faults.push(`replacements added ${addedMs.toFixed(0)} ms to the slowest charges`);
  await repeatFailed(bench);
}

/** What the killed process was doing is repeated by its clients; each key is one charge all the same. */
async function replaceKilled(bench: Bench): Promise<void> {
  const { tripe, merchant, random, note } = bench;
  const load = startLoad(merchant, RATES);
  for (const name of random.shuffle(replaceableNames)) {
    const former = await tripe.pidOf(name);
    const failuresCount = load.failures.length;
    const isReplaced = replaceProcesses(tripe, [name]);
    await untilTaken(tripe, name, former);
    signal(former, "SIGKILL");
    await isReplaced;
    note(`first tries that failed beside kill -9 of the former ${name}, a count`, load.failures.length - failuresCount);
  }
  await load.end();
  noteAll(bench, "a charge beside replacements with kill -9", load.chargesMs);
  await repeatFailed(bench);
}

/** Resolves once another process has a name: for a service its socket leads there, for the edge the supervisor has said so. */
async function untilTaken({ dataDir }: WholeTripe, name: ReplaceableName, former: number): Promise<void> {
  const link = join(dataDir, "run", `${name}.sock`);
  const isTaken = async () =>
    name === "edge"
      ? (await readFile(join(dataDir, "logs", "tripe.log"), "utf8")).includes(`"former":${former},`)
      : !(await readlink(link)).includes(`.${former}.`);
  await until(isTaken, 30_000, `another ${name} serves`, 5);
}

async function repeatFailed({ merchant }: Bench): Promise<void> {
  await Promise.all(merchant.wishes.filter(({ ids }) => ids.length === 0).map((wish) => merchant.insist(wish)));
}

function noteAll({ note }: Bench, what: string, times: readonly number[]): void {
  for (const ms of times) note(what, ms);
}

/** The slowest of a hundred. */
function percentile(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}
