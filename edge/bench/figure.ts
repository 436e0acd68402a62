import { roundTo4 } from "./statistics.ts";

/** How the processes of a Tripe are wired: one each, or all in one. */
export type Wiring = "one" | "processes";

/** A figure as a measure takes it. */
export interface Taken {
  /** The row of the goals, such as "P1". */
  readonly measure: string;
  /** Which of its figures, where a row has several. */
  readonly part?: string;
  readonly wiring: Wiring;
  readonly value: number;
  /** What it is measured against in the same run. */
  readonly yardstick?: number;
  /** The bound of the ratio, or of the value when there is no yardstick; none for what is only reported. */
  readonly goal?: number;
  /** Whether the goal is a least or a most. */
  readonly bound?: "least" | "most";
}

/** A figure as it is printed: one line of JSON. */
export interface Figure {
  readonly measure: string;
  readonly part?: string;
  readonly wiring: Wiring;
  readonly value: number | null;
  readonly yardstick: number | null;
  readonly ratio: number | null;
  readonly goal: number | null;
  readonly holds: boolean | null;
  /** Why it could not be taken, or what it lacks. */
  readonly reason?: string;
}

/** Judges what was taken against its goal. */
export function figureOf({ measure, part, wiring, value, yardstick, goal, bound = "least" }: Taken): Figure {
  const ratio = yardstick === undefined ? null : value / yardstick;
  const judged = ratio ?? value;
  const holds = goal === undefined ? null : bound === "least" ? judged >= goal : judged <= goal;
  return {
    measure,
    ...(part !== undefined && { part }),
    wiring,
    value: roundTo4(value),
    yardstick: yardstick === undefined ? null : roundTo4(yardstick),
    ratio: ratio === null ? null : Number(ratio.toFixed(3)),
    goal: goal ?? null,
    holds,
  };
}

/** A figure that could not be taken: it is reported with its reason, and its goal does not hold. */
export function missingFigure(taken: Pick<Taken, "goal" | "measure" | "part" | "wiring">, reason: string): Figure {
  const { measure, part, wiring, goal } = taken;
  const named = { measure, ...(part !== undefined && { part }), wiring };
  return { ...named, value: null, yardstick: null, ratio: null, goal: goal ?? null, holds: false, reason };
}
