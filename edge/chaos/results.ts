import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";

/** One run of one part of the soak. */
export interface Outcome {
  /** The row of RESULTS.md. */
  readonly row: string;
  /** The word that asks for it: npm run soak -- part. */
  readonly part: string;
  readonly sentence: string;
  readonly size: number;
  /** How much of it a soak without sizes does. */
  readonly fullSize: number;
  readonly seed: number;
  /** What was counted and measured, in words. */
  readonly figures: readonly string[];
  /** Contradictions and findings of the audit; none when it passed. */
  readonly problemsCount: number;
  readonly ms: number;
}

const FILE = join(import.meta.dirname, "RESULTS.md");

const HEAD = `# What the soak found

\`npm run soak\` writes this table: the last run of each part, at the size it was asked for. A part passes when every key is
one charge, no acknowledged charge is lost, the bank's statement is the books, and the audit finds nothing. Without a size a
part does all that stands behind "of".

| row | what | part | size | passed | counted and measured | seed | took | rig |
|---|---|---|---|---|---|---|---|---|
`;

/** Puts an outcome into the table, in the place of the last one of its row and sentence. */
export async function writeOutcome(outcome: Outcome, file = FILE): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  const start = `| ${outcome.row} | ${outcome.sentence} |`;
  const rows = text.split("\n").filter((line) => /^\| T\d/.test(line) && !line.startsWith(start));
  rows.push(lineOf(outcome));
  await writeFile(file, `${HEAD}${rows.sort(byRow).join("\n")}\n`);
}

function lineOf({ row, part, sentence, size, fullSize, seed, figures, problemsCount, ms }: Outcome): string {
  const passed = problemsCount === 0 ? "yes" : `no: ${problemsCount} problems`;
  const took = ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
  const sizes = `${size.toLocaleString("en-US")} of ${fullSize.toLocaleString("en-US")}`;
  const cells = [row, sentence, part, sizes, passed, figures.join("; "), seed, took, rig()];
  return `| ${cells.join(" | ")} |`;
}

function rig(): string {
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model.replaceAll("|", "/").trim() ?? "unknown";
  return `${availableParallelism()} × ${model}, ${memoryGb} GB, Node ${process.versions.node}, ${process.platform}`;
}

/** T4 before T11. */
function byRow(left: string, right: string): number {
  return numberOf(left) - numberOf(right) || left.localeCompare(right);
}

function numberOf(line: string): number {
  return Number(/^\| T(\d+)/.exec(line)?.[1]);
}
