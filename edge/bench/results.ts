import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Figure } from "./figure.ts";
import type { Sizes } from "./measure.ts";
import { holdsOf, judgedOf, nameOfFigure } from "./report.ts";
import type { Taken } from "./take-measures.ts";

/** A run, to be written down. */
export interface Results {
  readonly rig: string;
  readonly sizes: Sizes;
  readonly commits: { readonly before: string | undefined; readonly after: string };
  readonly minutes: number;
  readonly before: Taken | undefined;
  readonly after: Taken;
}

const FILE = join(import.meta.dirname, "RESULTS.md");

const HEAD = `# What the benchmark measured

\`npm run bench\` writes the table, row by row: the last run of each figure. *Before* and *after* are the ratio to the yardstick of
the same run, or the value where there is none. Below "What is left" each goal that did not hold has a place; what is written there by hand is kept.

| figure | before | after | goal | holds | value ÷ yardstick | run |
|---|---|---|---|---|---|---|
`;

const RUNS = "\n## Runs\n\n";
const LEFT = "\n## What is left\n\n";
/** Runs that are kept: the rows above name them. */
const RUNS_MAX = 40;

/** Puts a run's figures into the file, each in the place of the last one of its name. A "before" stays until it is measured anew. */
export async function writeResults(results: Results, file = FILE): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  await writeFile(file, mergeResults(text, results));
}

/** The file's new text from its old one. */
export function mergeResults(text: string, { rig, sizes, commits, minutes, before, after }: Results): string {
  const [table = "", written = ""] = text.split(LEFT);
  const rows = new Map(readRows(table).map((cells) => [cells[0] ?? "", cells]));
  const runs = readRuns(table);
  const runNumber = 1 + Math.max(0, ...runs.map((line) => Number.parseInt(line, 10)));
  for (const figure of after.figures) {
    const name = nameOfFigure(figure);
    const earlier = before?.figures.find((one) => nameOfFigure(one) === name);
    const first = earlier === undefined ? (rows.get(name)?.[1] ?? "") : judgedOf(earlier);
    rows.set(name, [name, first, ...cellsOf(figure), String(runNumber)]);
  }
  const sizeWords = Object.entries(sizes).map(([size, value]) => `${size}=${value}`);
  const commitWords = commits.before === undefined ? commits.after : `${commits.after} against ${commits.before}`;
  const run = `${runNumber}. ${commitWords}; ${rig}; ${sizeWords.join(" ")}; no bank faults; ${minutes.toFixed(1)} min. ${after.notes.map((note) => `*${note}*`).join(" · ")}`;
  const lines = [...rows.values()].map((cells) => `| ${cells.join(" | ")} |`).sort(byRow);
  return `${HEAD}${lines.join("\n")}\n${RUNS}${[...runs, run].slice(-RUNS_MAX).join("\n")}\n${LEFT}${addPlaces(written, after.figures)}`;
}

/** A heading for each missed goal that has none yet, with the command whose output belongs below it. */
function addPlaces(written: string, figures: readonly Figure[]): string {
  const missed = figures.filter(
    (figure) => figure.holds === false && !written.includes(`### ${nameOfFigure(figure)}\n`),
  );
  const places = missed.map((figure) => `### ${nameOfFigure(figure)}\n\n\`${profileOf(figure)}\`:\n`);
  return [...(written.trim() === "" ? [] : [written.trimEnd()]), ...places.map((place) => place.trimEnd())]
    .join("\n\n")
    .concat("\n");
}

/** The work whose profile says what a figure is made of. */
function profileOf({ measure, wiring }: Figure): string {
  const works: Readonly<Record<string, string>> = { P5: "get", P6: "renewal", webhooks: "webhook" };
  return `npm run profile -- ${works[measure] ?? "charge"} wiring=${wiring}`;
}

function cellsOf(figure: Figure): string[] {
  const { goal, value, yardstick } = figure;
  const fraction = value === null ? "" : yardstick === null ? String(value) : `${value} ÷ ${yardstick}`;
  return [judgedOf(figure), goal === null ? "" : String(goal), holdsOf(figure).replaceAll("|", "/"), fraction];
}

function readRows(text: string): string[][] {
  const lines = text.split("\n").filter((line) => /^\| (?!figure \|)/.test(line));
  return lines.map((line) => line.slice(2, -2).split(" | "));
}

function readRuns(text: string): string[] {
  return (text.split(RUNS)[1] ?? "").split("\n").filter((line) => /^\d+\. /.test(line));
}

/** P2 before P10. */
function byRow(left: string, right: string): number {
  return numberOf(left) - numberOf(right) || left.localeCompare(right);
}

function numberOf(line: string): number {
  return Number(/^\| P(\d+)/.exec(line)?.[1] ?? 99);
}
