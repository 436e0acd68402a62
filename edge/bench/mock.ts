import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createEnvironment } from "../../services/_runtime/config.ts";
import { until } from "../chaos/whole-tripe.ts";
import { loadWith, warmUp } from "./closed-load.ts";
import { type Figure, figureOf } from "./figure.ts";
import type { Measure, MeasureContext } from "./measure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { generateLoad, type LoadRun } from "./run-load.ts";
import { meanOf } from "./statistics.ts";
import { chargesOf, createMerchant } from "./stored-customers.ts";

const run = promisify(execFile);

/** Fetched when it is measured, without its install scripts: Tripe has no other use for it and its hundred packages. */
const PACKAGE = "stripe-stateful-mock@0.0.16";
/** The mock keeps every charge, and slows down as they grow: as many seconds for it as for Tripe would not be fair to it. */
const MOCK_MS = 3_000;
const START_MAX_MS = 15_000;
const GOAL = 1;

/** P10: the same charges on an in-memory mock of Stripe, of which nothing is durable. */
export const mock: Measure = {
  row: "P10",
  sentence: `charges a second, closed model, ÷ those of the in-memory mock ${PACKAGE}, in turn`,
  wirings: ["one"],
  run: (context, wiring) => context.onTripe(wiring, (tripe) => measure(context, tripe)),
};

async function measure(context: MeasureContext, tripe: MeasuredTripe): Promise<Figure[]> {
  const { wiring } = tripe;
  const folder = await mkdtemp(join(tmpdir(), "tripe-mock-"));
  try {
    await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, PACKAGE]);
    const templates = chargesOf(await createMerchant(tripe.port, CUSTOMERS));
    await warmUp(context, tripe, templates);
    const runs: LoadRun[] = [];
    const rates: number[] = [];
    for (let turn = 0; turn < context.sizes.turns; turn += 1) {
      // The port behind those of the Tripe.
      rates.push(await measureMock(folder, tripe.port + 20, context.sizes.connections));
      runs.push(await loadWith(context, tripe, templates));
      context.note(
        `${wiring}: turn ${turn + 1}: ${runs.at(-1)?.perSecond.toFixed(0)}/s, the mock ${rates.at(-1)?.toFixed(0)}/s`,
      );
    }
    const value = meanOf(runs.map(({ perSecond }) => perSecond));
    return [figureOf({ measure: "P10", wiring, value, yardstick: meanOf(rates), goal: GOAL })];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureMock(folder: string, port: number, connections: number): Promise<number> {
  const program = join(folder, "node_modules", "stripe-stateful-mock", "dist", "cli.js");
  const env = createEnvironment({ PORT: String(port), LOG_LEVEL: "silent" });
  const child = spawn(process.execPath, [program], { env, stdio: "ignore" });
  try {
    const isUp = () =>
      fetch(`http://127.0.0.1:${port}/v1/customers`, { headers: { authorization: "Bearer sk_test_x" } }).then(
        () => true,
        () => false,
      );
    await until(isUp, START_MAX_MS, "the mock answers");
    const templates = chargesOf(await createMerchant(port, CUSTOMERS, "sk_test_mock"));
    const plan = { port, templates, connections, warmUpMs: MOCK_MS / 2, measureMs: MOCK_MS };
    const { okCount, seconds, statuses } = await generateLoad(plan);
    if (okCount === 0) throw new Error(`the mock answered ${JSON.stringify(statuses)}`);
    return okCount / seconds;
  } finally {
    child.kill("SIGKILL");
  }
}
