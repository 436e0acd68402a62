import { systemClock } from "../../services/_runtime/clock.ts";
import { type LoadPlan, type LoadResult, NUMBER, postOf } from "../bench/load-plan.ts";
import { generateLoad } from "../bench/run-load.ts";
import type { Found } from "./exercises.ts";
import { createMerchant, type Merchant } from "./merchant.ts";
import { startLoad } from "./steady-load.ts";
import { createWholeTripe, SECRET_KEY, until, type WholeTripe } from "./whole-tripe.ts";

/** As many connections as a merchant's program may have in one go; the best of these is the peak. */
const CONNECTIONS = [32, 64, 128];
const WARM_UP_MS = 15_000;
const PEAK_MS = 10_000;

/** Offered, as multiples of the peak. */
const FACTORS = [2, 5];

/** Below what one client address may have (edge/guard-connections.ts). */
const OPEN_CONNECTIONS_MAX = 700;

/** What must hold. */
const GOODPUT_MIN = 0.8;
const P99_FACTOR_MAX = 3;
const RECOVERY_MAX_S = 10;

/** Requests of a merchant's whose keys are looked into afterwards. */
const SAMPLE = { chargesPerS: 5, readsPerS: 1 };

const ALLOWED: ReadonlySet<string> = new Set(["200", "429", "503"]);

/** What one overload is run with, and where its findings go. */
interface Bench {
  readonly tripe: WholeTripe;
  readonly merchant: Merchant;
  readonly seconds: number;
  readonly found: { readonly figures: string[]; readonly problems: string[] };
}

interface Peak {
  readonly perSecond: number;
  readonly p99: number;
}

/** Finds the most charges a second that a Tripe carries out, offers several times that for some seconds, and watches it recover. */
export async function overload({ port, seconds }: { port: number; seconds: number }): Promise<Found> {
  const tripe = await createWholeTripe(port);
  const bench: Bench = { tripe, merchant: createMerchant(tripe), seconds, found: { figures: [], problems: [] } };
  try {
    await tripe.start();
    const peak = await findPeak(bench);
    for (const factor of FACTORS) {
      await overloadBy(bench, factor, peak);
      await recover(bench, factor, peak);
    }
    await checkKeys(bench);
    const findings = await tripe.audit();
    return { ...bench.found, problems: [...bench.found.problems, ...findings.map((one) => JSON.stringify(one))] };
  } finally {
    await tripe.remove();
  }
}

async function findPeak({ tripe, found }: Bench): Promise<Peak> {
  const run = (connections: number, warmUpMs: number) => load(tripe, { connections, warmUpMs, measureMs: PEAK_MS });
  // The first seconds of a start compile what they need.
  await run(CONNECTIONS[0] ?? 1, WARM_UP_MS);
  let peak: Peak = { perSecond: 0, p99: 0 };
  for (const connections of CONNECTIONS) {
    const result = await run(connections, 1_000);
    const perSecond = result.okCount / result.seconds;
    found.figures.push(`${connections} connections: ${describe(result)}`);
    if (perSecond > peak.perSecond) peak = { perSecond, p99: result.p99 };
  }
  return peak;
}

async function overloadBy(bench: Bench, factor: number, peak: Peak): Promise<void> {
  const { tripe, merchant, seconds, found } = bench;
  const sample = startLoad(merchant, SAMPLE);
  const plan = { connections: OPEN_CONNECTIONS_MAX, rate: factor * peak.perSecond, warmUpMs: 0 };
  const result = await load(tripe, { ...plan, measureMs: seconds * 1_000 });
  await sample.end();
  found.figures.push(`${factor} × the peak: ${describe(result)}`);
  const goodput = result.okCount / result.seconds / peak.perSecond;
  const foreign = Object.keys(result.statuses).filter((status) => !ALLOWED.has(status));
  const refuse = (words: string) => found.problems.push(`at ${factor} × the peak ${words}`);
  if (goodput < GOODPUT_MIN) refuse(`goodput was ${goodput.toFixed(2)} of it`);
  if (foreign.length > 0) refuse(`answers were ${foreign.join(", ")}`);
  if (result.p99 > P99_FACTOR_MAX * peak.p99) refuse(`p99 was ${(result.p99 / peak.p99).toFixed(1)} times as long`);
}

/** Half the peak, second by second, until one has nothing refused and nothing late. */
async function recover({ tripe, found }: Bench, factor: number, peak: Peak): Promise<void> {
  const startMs = systemClock.preciseMs();
  const plan = { connections: OPEN_CONNECTIONS_MAX, rate: peak.perSecond / 2, warmUpMs: 0, measureMs: 1_000 };
  const isWell = async () => {
    const { statuses, p99 } = await load(tripe, plan);
    return Object.keys(statuses).join() === "200" && p99 <= P99_FACTOR_MAX * peak.p99;
  };
  await until(isWell, 60_000, "half the peak is carried again");
  const tookS = (systemClock.preciseMs() - startMs) / 1_000;
  found.figures.push(`after ${factor} × the peak, half of it was carried within ${tookS.toFixed(1)} s`);
  if (tookS > RECOVERY_MAX_S) found.problems.push(`after ${factor} × the peak recovery took ${tookS.toFixed(1)} s`);
}

/** What was refused has left its key free: repeated, each key of the sample is one charge. */
async function checkKeys({ merchant, found }: Bench): Promise<void> {
  const refused = merchant.wishes.filter(({ ids }) => ids.length === 0);
  for (const wish of refused) await merchant.insist(wish);
  const byKey = Map.groupBy(await merchant.listCharges(), ({ metadata }) => metadata["key"] ?? "");
  const halfUsed = merchant.wishes.filter(({ key }) => byKey.get(key)?.length !== 1);
  found.figures.push(`${merchant.wishes.length} keys looked into, ${refused.length} of them refused at first`);
  for (const { key } of halfUsed) found.problems.push(`${key} is ${byKey.get(key)?.length ?? 0} charges`);
  found.problems.push(...new Set(merchant.faults));
}

function load({ port }: WholeTripe, plan: Pick<LoadPlan, "connections" | "rate" | "warmUpMs" | "measureMs">) {
  const form = { amount: "1000", currency: "usd", source: "tok_visa", "metadata[load]": NUMBER };
  return generateLoad({ ...plan, port, templates: [{ text: postOf("/v1/charges", SECRET_KEY, form), weight: 1 }] });
}

function describe({ okCount, seconds, p50, p99, statuses }: LoadResult): string {
  const counts = Object.entries(statuses).map(([status, count]) => `${status} × ${count}`);
  return `${(okCount / seconds).toFixed(0)} charges/s, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms (${counts.join(", ")})`;
}
