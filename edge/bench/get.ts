import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { loadWith, warmUp } from "./closed-load.ts";
import { describeCpu } from "./cpu-table.ts";
import { type Figure, figureOf } from "./figure.ts";
import { getOf, type LoadPlan, type Template } from "./load-plan.ts";
import type { Measure, MeasureContext } from "./measure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { generateLoad, type LoadRun } from "./run-load.ts";
import { meanOf } from "./statistics.ts";
import { createMerchant, type Merchant, post } from "./stored-customers.ts";

const GOAL_ONE = 0.2;

/** P5: reading one charge, beside a bare Fastify route that has the same answers in memory. */
export const get: Measure = {
  row: "P5",
  sentence: "GET of one charge a second, closed model, ÷ the same bytes from memory by a bare Fastify route, in turn",
  wirings: ["processes", "one"],
  run: (context, wiring) => context.onTripe(wiring, (tripe) => measure(context, tripe)),
};

async function measure(context: MeasureContext, tripe: MeasuredTripe): Promise<Figure[]> {
  const { wiring } = tripe;
  const merchant = await createMerchant(tripe.port, CUSTOMERS);
  const paths = await createCharges(tripe, merchant);
  const templates = paths.map((path) => ({ text: getOf(path, merchant.key), weight: 1 }));
  const bare = await startBareRoute(tripe, merchant, paths);
  try {
    await warmUp(context, tripe, templates);
    const runs: LoadRun[] = [];
    const rates: number[] = [];
    for (let turn = 0; turn < context.sizes.turns; turn += 1) {
      rates.push(await bare.measure(context, templates));
      runs.push(await loadWith(context, tripe, templates));
      context.note(
        `${wiring}: turn ${turn + 1}: ${runs.at(-1)?.perSecond.toFixed(0)}/s, bare route ${rates.at(-1)?.toFixed(0)}/s`,
      );
    }
    context.note(`${wiring}: CPU of a GET: ${describeCpu(runs.at(-1)?.cpuUs ?? new Map())}`);
    const list = [{ text: getOf("/v1/charges?limit=10", merchant.key), weight: 1 }];
    const lists = await loadWith(context, tripe, list);
    const value = meanOf(runs.map(({ perSecond }) => perSecond));
    const goal = wiring === "one" ? { goal: GOAL_ONE } : {};
    return [
      figureOf({ measure: "P5", wiring, value, yardstick: meanOf(rates), ...goal }),
      figureOf({ measure: "P5", part: "lists of 10 a second", wiring, value: lists.perSecond }),
    ];
  } finally {
    bare.close();
  }
}

/** A paid charge for each customer; their paths. */
export async function createCharges({ port }: MeasuredTripe, { key, customerIds }: Merchant): Promise<string[]> {
  const paths: string[] = [];
  for (const customer of customerIds) {
    const { id } = await post(port, key, "/v1/charges", { amount: "2000", currency: "usd", customer });
    paths.push(`/v1/charges/${id}`);
  }
  return paths;
}

async function startBareRoute(tripe: MeasuredTripe, { key }: Merchant, paths: readonly string[]) {
  const answers: Record<string, string> = {};
  for (const path of paths) {
    const answer = await fetch(`http://127.0.0.1:${tripe.port}${path}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    answers[path] = await answer.text();
  }
  const child = fork(join(import.meta.dirname, "bare-route.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(answers);
  const [port] = await once(child, "message");
  return {
    async measure({ sizes }: MeasureContext, templates: readonly Template[]): Promise<number> {
      const plan: LoadPlan = {
        port: Number(port),
        templates,
        connections: sizes.connections,
        warmUpMs: 1_000,
        measureMs: sizes.seconds * 500,
      };
      const { okCount, seconds } = await generateLoad(plan);
      return okCount / seconds;
    },
    close: () => child.disconnect(),
  };
}
