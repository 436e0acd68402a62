import { systemClock } from "../../services/_runtime/clock.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { type Exercise, exercises } from "./exercises.ts";
import { type Outcome, writeOutcome } from "./results.ts";
import { refuseSize } from "./soak-sizes.ts";

endQuietlyWithReader();

// npm run soak -- [part[=size] …] [seed=number]
// The long runs of RESULTS.md, one after the other; without a part, all of them, which takes hours. Each ends
// with its proof; exit code 1, and the contradictions, when there are any. The seed is printed, and the same seed does the
// same blows in the same order. What was found stands in edge/chaos/RESULTS.md.

const words = process.argv.slice(2).map((word) => word.split("="));
const seed = Number(words.find(([name]) => name === "seed")?.[1] ?? Math.floor(Math.random() * 2 ** 32));
const asked = words.filter(([name]) => name !== "seed");
const refusal = asked.map(([name = "", size]) => refusePart(name, size)).find((words) => words !== undefined);

if (refusal !== undefined) {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 1;
} else {
  const chosen = asked.length === 0 ? Object.keys(exercises).map((name) => [name]) : asked;
  process.stdout.write(`seed=${seed}\n`);
  for (const [name = "", size] of chosen) {
    const exercise = exercises[name];
    if (exercise !== undefined && !(await soak(name, exercise, Number(size ?? exercise.size)))) process.exitCode = 1;
  }
}

function refusePart(name: string, size: string | undefined): string | undefined {
  const exercise = Object.hasOwn(exercises, name) ? exercises[name] : undefined;
  if (exercise === undefined) return `there is no part ${name}; there are ${Object.keys(exercises).join(", ")}`;
  return refuseSize(name, size === undefined ? exercise.size : Number(size || Number.NaN), exercise);
}

async function soak(part: string, { row, sentence, size: fullSize, run }: Exercise, size: number): Promise<boolean> {
  process.stdout.write(`\n${row}: ${sentence}: ${size}\n`);
  const startMs = systemClock.preciseMs();
  const { figures, problems } = await run(size, seed);
  for (const figure of figures) process.stdout.write(`  ${figure}\n`);
  for (const problem of problems) process.stdout.write(`  PROBLEM: ${problem}\n`);
  const ms = systemClock.preciseMs() - startMs;
  const outcome: Outcome = { row, part, sentence, size, fullSize, seed, figures, problemsCount: problems.length, ms };
  await writeOutcome(outcome);
  return problems.length === 0;
}
