import type { Template } from "./load-plan.ts";
import type { MeasureContext } from "./measure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { type LoadOptions, type LoadRun, runLoad } from "./run-load.ts";

/** What follows a pause, such as that of pgbench, is warm again after so long. */
const AGAIN_WARM_MS = 2_000;

/** Runs a load that is not measured: the first seconds of a start compile what they need, and tables are not analysed yet. */
export async function warmUp({ sizes }: MeasureContext, tripe: MeasuredTripe, templates: readonly Template[]) {
  const { connections, warmup } = sizes;
  await runLoad(tripe, { templates, connections, warmUpMs: 0, measureMs: warmup * 1_000 });
}

/** The closed model for one measured window, on a Tripe that was warm before. */
export function loadWith(
  { sizes }: MeasureContext,
  tripe: MeasuredTripe,
  templates: readonly Template[],
  options: LoadOptions = {},
): Promise<LoadRun> {
  const { connections, seconds } = sizes;
  return runLoad(tripe, { templates, connections, warmUpMs: AGAIN_WARM_MS, measureMs: seconds * 1_000 }, options);
}

/** A load in words. */
export function describeRun({ perSecond, p50, p99, statuses }: LoadRun): string {
  const others = Object.entries(statuses).filter(([status]) => status !== "200");
  const words = others.map(([status, count]) => `, ${count} answered ${status}`).join("");
  return `${perSecond.toFixed(0)}/s, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms${words}`;
}
