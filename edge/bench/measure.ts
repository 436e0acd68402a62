import type { Figure, Wiring } from "./figure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";

/** The sizes of a run, as they can be set on the command line. */
export interface Sizes {
  /** How long each measured window is. */
  readonly seconds: number;
  /** How long a load runs before its window. */
  readonly warmup: number;
  /** How often a measure and its yardstick are taken, in turn. */
  readonly turns: number;
  /** Connections of the closed model. */
  readonly connections: number;
  /** Charges of the larger data set of `growth`. */
  readonly charges: number;
  /** Subscriptions due at once in `renewals`. */
  readonly subscriptions: number;
}

/** What a measure works with. */
export interface MeasureContext {
  readonly sizes: Sizes;
  readonly wirings: readonly Wiring[];
  /** The checkout that is measured. */
  readonly root: string;
  /** PORT of every Tripe; they run one after the other. */
  readonly port: number;
  /**
   * Runs something on a started Tripe of its own. Afterwards the books are proved and the settings of durability checked:
   * without both it rejects, and what was measured is void.
   */
  onTripe<Result>(
    wiring: Wiring,
    run: (tripe: MeasuredTripe, startMs: number) => Promise<Result>,
    options?: OnTripe,
  ): Promise<Result>;
  /** Prints a line for the person at the terminal, such as the figures of one turn. */
  note(line: string): void;
}

/** How a Tripe of a measure differs from `npm start`'s. */
export interface OnTripe {
  readonly settings?: Readonly<Record<string, string>>;
}

/** One measure by its name on the command line. */
export interface Measure {
  /** The row of the goals, such as "P1"; its name where it has none. */
  readonly row: string;
  readonly sentence: string;
  /** The wirings it is about. */
  readonly wirings: readonly Wiring[];
  /** Takes it in one wiring. */
  run(context: MeasureContext, wiring: Wiring): Promise<readonly Figure[]>;
}
