import { systemClock } from "../../services/_runtime/clock.ts";
import { describeCpu } from "./cpu-table.ts";
import { figureOf } from "./figure.ts";
import type { Measure } from "./measure.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { generateLoad, runLoad } from "./run-load.ts";
import { chargesOf, createMerchant } from "./stored-customers.ts";
import { createEndpoints } from "./webhook-endpoints.ts";

const CHARGES_PER_S = 100;
const EVENTS_PER_S = 200;
const ENDPOINTS = 50;
const CONNECTIONS = 100;
/** Nothing of the charges before is under way any more. */
const PAUSE_MS = 2_000;

/** Charges of one merchant, while events of others go to their servers. */
export const webhooks: Measure = {
  row: "webhooks",
  sentence: `latency of ${CHARGES_PER_S} charges a second beside ${EVENTS_PER_S} events a second to ${ENDPOINTS} endpoints ÷ without`,
  wirings: ["processes", "one"],
  run: (context, wiring) =>
    context.onTripe(wiring, async (tripe) => {
      const { seconds, warmup } = context.sizes;
      const templates = chargesOf(await createMerchant(tripe.port, CUSTOMERS));
      const charging = { templates, connections: CONNECTIONS, rate: CHARGES_PER_S };
      const endpoints = await createEndpoints(tripe, ENDPOINTS);
      try {
        const alone = await runLoad(tripe, { ...charging, warmUpMs: warmup * 1_000, measureMs: seconds * 1_000 });
        await systemClock.sleep(PAUSE_MS);
        const before = await endpoints.countPosts();
        const times = { warmUpMs: PAUSE_MS, measureMs: seconds * 1_000 };
        const changing = { templates: endpoints.templates, connections: CONNECTIONS, rate: EVENTS_PER_S };
        const [beside, events] = await Promise.all([
          runLoad(tripe, { ...charging, ...times }),
          generateLoad({ ...changing, ...times, port: tripe.port }),
        ]);
        await systemClock.sleep(PAUSE_MS);
        const posts = (await endpoints.countPosts()) - before;
        context.note(
          `${wiring}: ${events.okCount} changes in the window, ${posts} posts taken from its warm-up on; CPU of a charge with all that: ${describeCpu(beside.cpuUs)}`,
        );
        if (posts < events.okCount) throw new Error(`only ${posts} posts of more than ${events.okCount} events`);
        return (["p50", "p99", "max"] as const).map((part) => {
          const goal = part === "p50" ? {} : { goal: 1.5 };
          const taken = { measure: "webhooks", part, wiring, bound: "most" } as const;
          return figureOf({ ...taken, value: beside[part], yardstick: alone[part], ...goal });
        });
      } finally {
        endpoints.close();
      }
    }),
};
