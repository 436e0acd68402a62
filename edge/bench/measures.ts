import { calls } from "./calls.ts";
import { charges } from "./charges.ts";
import { counts } from "./counts.ts";
import { get } from "./get.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import type { Measure } from "./measure.ts";
import { mock } from "./mock.ts";
import { overload } from "./overload.ts";
import { renewals } from "./renewals.ts";
import { start } from "./start.ts";
import { webhooks } from "./webhooks.ts";

/** Every measure by the word that asks for it, in the order of a run. */
export const measures: Readonly<Record<string, Measure>> = {
  charges,
  calls,
  counts,
  latency,
  get,
  renewals,
  growth,
  overload,
  start,
  mock,
  webhooks,
};
