import { describeCpu } from "./cpu-table.ts";
import { figureOf } from "./figure.ts";
import type { Measure } from "./measure.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { runLoad } from "./run-load.ts";
import { chargesOf, createMerchant } from "./stored-customers.ts";

/** Charges a second, at a constant rate whatever the answers take. */
const RATE = 100;
/** More than are ever in flight at this rate, unless answers take a second. */
const CONNECTIONS = 100;

/** P4: how long a charge takes where nothing waits for a core; the sandbox bank takes no time of its own. */
export const latency: Measure = {
  row: "P4",
  sentence: `milliseconds of a charge at ${RATE} a second, open model, the sandbox bank answering at once`,
  wirings: ["processes", "one"],
  run: (context, wiring) =>
    context.onTripe(wiring, async (tripe) => {
      const { seconds, warmup } = context.sizes;
      const templates = chargesOf(await createMerchant(tripe.port, CUSTOMERS));
      const plan = { templates, connections: CONNECTIONS, rate: RATE };
      const run = await runLoad(tripe, { ...plan, warmUpMs: warmup * 1_000, measureMs: seconds * 1_000 });
      context.note(
        `${wiring}: ${run.perSecond.toFixed(0)}/s, slowest ${run.max.toFixed(1)} ms; CPU ${describeCpu(run.cpuUs)}`,
      );
      const goals = wiring === "processes" ? { p50: 5, p99: 15 } : { p50: undefined, p99: undefined };
      return (["p50", "p99"] as const).map((part) => {
        const goal = goals[part];
        return figureOf({ measure: "P4", part, wiring, value: run[part], bound: "most", ...(goal && { goal }) });
      });
    }),
};
