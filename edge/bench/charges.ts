import { createId } from "../../services/_runtime/ids.ts";
import { addAccount } from "../testing/keys.ts";
import { describeRun, loadWith, warmUp } from "./closed-load.ts";
import { describeCpu, meanCpu } from "./cpu-table.ts";
import { type Figure, figureOf, type Wiring } from "./figure.ts";
import type { Template } from "./load-plan.ts";
import type { Measure, MeasureContext } from "./measure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { createPgbench, type Yardstick } from "./pgbench.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { zipfWeights } from "./pick-template.ts";
import type { LoadRun } from "./run-load.ts";
import { meanOf } from "./statistics.ts";
import { chargesOf, createMerchant } from "./stored-customers.ts";

const GOALS: Readonly<Record<Wiring, number>> = { processes: 1, one: 1.5 };

/** It needs no warm-up, and runs with two numbers of clients. */
const PGBENCH_MAX_S = 8;

/** The share of all charges that go to one merchant in the uneven case, and among how many others the rest is spread. */
const HOT_SHARE = 0.9;
const OTHER_MERCHANTS = 9;

/** P1: how many charges a second, over HTTP and on disk, beside Postgres writing the same rows. */
export const charges: Measure = {
  row: "P1",
  sentence: "charges a second on customers' stored cards, closed model, ÷ pgbench writing the same rows, in turn",
  wirings: ["processes", "one"],
  run: (context, wiring) => context.onTripe(wiring, (tripe) => measure(context, tripe)),
};

async function measure(context: MeasureContext, tripe: MeasuredTripe): Promise<Figure[]> {
  const { wiring } = tripe;
  const merchant = await createMerchant(tripe.port, CUSTOMERS);
  const load = (templates: readonly Template[]) => loadWith(context, tripe, templates);
  // The first seconds of a start compile what they need, and its tables are not analysed yet: they are not counted.
  await warmUp(context, tripe, chargesOf(merchant));
  const yardstick = await createPgbench(tripe).catch((error: unknown) => {
    context.note(`${wiring}: no yardstick: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  });
  const runs: LoadRun[] = [];
  const rates: number[] = [];
  for (let turn = 0; turn < context.sizes.turns; turn += 1) {
    // The order alternates from turn to turn, so that a drift of the machine affects both sides.
    if (turn % 2 === 0) await takeRate(context, yardstick, rates);
    const run = await load(chargesOf(merchant));
    runs.push(run);
    if (turn % 2 === 1) await takeRate(context, yardstick, rates);
    context.note(
      `${wiring}: turn ${turn + 1}: ${describeRun(run)}, pgbench ${rates.at(-1)?.toFixed(0) ?? "not taken"}`,
    );
  }
  await yardstick?.remove();
  context.note(`${wiring}: CPU per charge, mean of the turns: ${describeCpu(meanCpu(runs.map((run) => run.cpuUs)))}`);
  const value = meanOf(runs.map((run) => run.perSecond));
  const pgbench = rates.length === 0 ? {} : { yardstick: meanOf(rates), goal: GOALS[wiring] };
  const figure = figureOf({ measure: "P1", wiring, value, ...pgbench });
  // A run of one turn is a quick look at what a change gave.
  if (context.sizes.turns === 1) return [figure];
  return [figure, ...(await measureUneven(context, tripe, { load, merchant, value }))];
}

async function takeRate({ sizes }: MeasureContext, yardstick: Yardstick | undefined, rates: number[]): Promise<void> {
  if (yardstick !== undefined) rates.push(await yardstick.measure(Math.min(sizes.seconds, PGBENCH_MAX_S)));
}

interface Even {
  readonly load: (templates: readonly Template[]) => Promise<LoadRun>;
  readonly merchant: Awaited<ReturnType<typeof createMerchant>>;
  readonly value: number;
}

/** The same load, unevenly spread: over customers by Zipf's law, and over merchants with 90 % to one of them. */
async function measureUneven(context: MeasureContext, tripe: MeasuredTripe, even: Even): Promise<Figure[]> {
  const { wiring } = tripe;
  const { load, merchant, value: yardstick } = even;
  const zipf = await load(chargesOf(merchant, zipfWeights(CUSTOMERS)));
  const templates = await spreadOverMerchants(tripe, chargesOf(merchant));
  // One merchant more than before: its keys and customers are read once.
  const hot = await load(templates);
  context.note(`${wiring}: Zipf over customers: ${describeRun(zipf)}; 90 % to one merchant: ${describeRun(hot)}`);
  return [
    figureOf({ measure: "P1", part: "Zipf over customers ÷ even", wiring, value: zipf.perSecond, yardstick }),
    figureOf({ measure: "P1", part: "90 % to one merchant ÷ even", wiring, value: hot.perSecond, yardstick }),
  ];
}

async function spreadOverMerchants(tripe: MeasuredTripe, hot: readonly Template[]): Promise<Template[]> {
  const ownerUrl = await tripe.roleUrl("owner");
  const others: Template[] = [];
  for (let count = 0; count < OTHER_MERCHANTS; count += 1) {
    const key = createId("sk_test_");
    await addAccount(ownerUrl, key);
    others.push(...chargesOf(await createMerchant(tripe.port, CUSTOMERS / 10, key)));
  }
  const share = (templates: readonly Template[], part: number) =>
    templates.map((template) => ({ ...template, weight: part / templates.length }));
  return [...share(hot, HOT_SHARE), ...share(others, 1 - HOT_SHARE)];
}
