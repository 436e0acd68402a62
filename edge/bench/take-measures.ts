import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../services/_runtime/clock.ts";
import { findUndurable } from "./durability.ts";
import { type Figure, missingFigure, type Wiring } from "./figure.ts";
import type { Measure, MeasureContext, Sizes } from "./measure.ts";
import { createMeasuredTripe } from "./measured-tripe.ts";

/** A run of some measures on one checkout. */
export interface Run {
  readonly root: string;
  readonly sizes: Sizes;
  readonly wirings: readonly Wiring[];
  readonly port: number;
  readonly print: (line: string) => void;
}

/** What a run came to. */
export interface Taken {
  readonly figures: readonly Figure[];
  /** What was printed beside the figures, such as turns and CPU by process. */
  readonly notes: readonly string[];
  /** What voids a figure: books that do not balance, commits that are not on disk. */
  readonly voids: readonly string[];
}

/** Takes measures one after the other. One that cannot be taken is reported with its reason, and the next one follows. */
export async function takeMeasures(run: Run, measures: Readonly<Record<string, Measure>>): Promise<Taken> {
  const figures: Figure[] = [];
  const notes: string[] = [];
  const voids: string[] = [];
  const note = (line: string) => {
    notes.push(line);
    run.print(`  ${line}`);
  };
  const context: MeasureContext = { ...run, note, onTripe: createOnTripe(run, note, voids) };
  await makeBundle(run.root);
  for (const [name, measure] of Object.entries(measures)) {
    for (const wiring of measure.wirings.filter((one) => run.wirings.includes(one))) {
      run.print(`\n${name} (${measure.row}), ${wiring}: ${measure.sentence}`);
      const startMs = systemClock.preciseMs();
      const taken = await measure.run(context, wiring).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        return [missingFigure({ measure: measure.row, wiring }, reason)];
      });
      for (const figure of taken) run.print(JSON.stringify(figure));
      run.print(`  ${name}, ${wiring}: ${((systemClock.preciseMs() - startMs) / 1_000).toFixed(0)} s`);
      figures.push(...taken);
    }
  }
  return { figures, notes, voids };
}

/** What an install makes, and the first start else: it is not to be timed. A checkout of before has no bundle. */
async function makeBundle(root: string): Promise<void> {
  const program = join(root, ".config", "bundle.mjs");
  if (existsSync(program)) await promisify(execFile)(process.execPath, [program], { cwd: root });
}

function createOnTripe(run: Run, note: (line: string) => void, voids: string[]): MeasureContext["onTripe"] {
  return async (wiring, work, { settings = {} } = {}) => {
    const tripe = await createMeasuredTripe({ ...run, wiring, settings });
    const refuse = (reason: string) => {
      voids.push(`${wiring}: ${reason}`);
      throw new Error(`void: ${reason}`);
    };
    try {
      const startMs = await tripe.start();
      const undurable = await findUndurable(tripe);
      if (undurable !== undefined) refuse(undurable);
      const result = await work(tripe, startMs);
      const wrong = await tripe.audit();
      if (wrong !== undefined) refuse(`the audit is not clean: ${wrong}`);
      note(`${wiring}: the audit is clean; fsync, full_page_writes and synchronous_commit are on`);
      return result;
    } finally {
      await tripe.remove();
    }
  };
}
