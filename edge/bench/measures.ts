import { charges } from "./charges.ts";
import type { Measure } from "./measure.ts";

/** Every measure by the word that asks for it, in the order of a run. */
export const measures: Readonly<Record<string, Measure>> = { charges };
