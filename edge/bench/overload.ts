import { loadWith, warmUp } from "./closed-load.ts";
import { figureOf } from "./figure.ts";
import type { Measure } from "./measure.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { runLoad } from "./run-load.ts";
import { chargesOf, createMerchant } from "./stored-customers.ts";

/** As a crowd that comes at once: more than the edge takes on, and below what one address may open. */
const CONNECTIONS = 1_000;
/** What an overloaded Tripe may answer beside 200. */
const ALLOWED = ["200", "429", "503"];

/** P8: twice the charges that it can do: what comes through, and how fast. */
export const overload: Measure = {
  row: "P8",
  sentence:
    "charges at twice the peak rate, open model: what is carried out ÷ the peak, and p99 of those ÷ p99 at the peak",
  wirings: ["processes", "one"],
  run: (context, wiring) =>
    context.onTripe(wiring, async (tripe) => {
      const templates = chargesOf(await createMerchant(tripe.port, CUSTOMERS));
      await warmUp(context, tripe, templates);
      const peak = await loadWith(context, tripe, templates);
      const { seconds, warmup } = context.sizes;
      const rate = Math.round(peak.perSecond * 2);
      const plan = { templates, rate, connections: CONNECTIONS, warmUpMs: warmup * 500, measureMs: seconds * 1_000 };
      const run = await runLoad(tripe, plan, { mayFail: true });
      context.note(
        `${wiring}: peak ${peak.perSecond.toFixed(0)}/s; asked for ${rate}/s: ${JSON.stringify(run.statuses)}`,
      );
      const others = Object.keys(run.statuses).filter((status) => !ALLOWED.includes(status));
      if (others.length > 0)
        throw new Error(`answered ${JSON.stringify(run.statuses)}, not only ${ALLOWED.join(", ")}`);
      const taken = { measure: "P8", wiring };
      return [
        figureOf({ ...taken, part: "goodput", value: run.perSecond, yardstick: peak.perSecond, goal: 0.8 }),
        figureOf({
          ...taken,
          part: "p99 of the admitted",
          value: run.p99,
          yardstick: peak.p99,
          goal: 3,
          bound: "most",
        }),
      ];
    }),
};
