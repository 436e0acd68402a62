import { createMerchant } from "./merchant.ts";
import { type Phase, phases } from "./phases.ts";
import { prove } from "./proof.ts";
import { createRandom } from "./random.ts";
import { createWholeTripe } from "./whole-tripe.ts";

// npm run soak -- [phase[=size] …] [seed=number]
// The long runs of design/7-reliability.md, each on a Tripe of its own; without a phase, all of them, which takes hours.
// Each ends with the proof that every key is one charge, the bank took each amount once, and the books balance; exit code 1
// and the contradictions when not. The seed is printed, and the same seed does the same blows in the same order.

/** The soak's Tripes, one after the other, apart from those of the tests (26000 to 26990). */
const PORT = 25_900;

const words = process.argv.slice(2).map((word) => word.split("="));
const seed = Number(words.find(([name]) => name === "seed")?.[1] ?? Math.floor(Math.random() * 2 ** 32));
const asked = words.filter(([name]) => name !== "seed");
const unknown = asked.find(([name = ""]) => !Object.hasOwn(phases, name));

if (unknown !== undefined) {
  process.stderr.write(`there is no phase ${unknown[0]}; there are ${Object.keys(phases).join(", ")}\n`);
  process.exitCode = 1;
} else {
  const chosen = asked.length === 0 ? Object.keys(phases).map((name) => [name]) : asked;
  process.stdout.write(`seed=${seed}\n`);
  for (const [name = "", size] of chosen) {
    const phase = phases[name];
    if (phase !== undefined && !(await soak(phase, Number(size ?? phase.size)))) process.exitCode = 1;
  }
}

async function soak(phase: Phase, size: number): Promise<boolean> {
  const { row, sentence, bankFaults } = phase;
  process.stdout.write(`\n${row}: ${sentence}: ${size}\n`);
  const tripe = await createWholeTripe(
    PORT,
    bankFaults === undefined ? {} : { TRIPE_BANK_FAULTS: `${seed}:${bankFaults}` },
  );
  const merchant = createMerchant(tripe);
  const times = new Map<string, number[]>();
  const note = (what: string, ms: number) => times.set(what, [...(times.get(what) ?? []), ms]);
  try {
    await tripe.start();
    await phase.run({ tripe, merchant, random: createRandom(seed), note }, size);
    const { problems, findings, chargesCount, paidCount, finalMs } = await prove(tripe, merchant);
    for (const [what, all] of times) process.stdout.write(`  ${what}: ${percentiles(all)}\n`);
    process.stdout.write(
      `  ${chargesCount} charges, ${paidCount} paid; all final after ${finalMs.toFixed(0)} ms more\n`,
    );
    process.stdout.write(`  answers: ${merchant.words()}\n`);
    for (const problem of problems) process.stdout.write(`  PROBLEM: ${problem}\n`);
    for (const finding of findings) process.stdout.write(`  FINDING: ${JSON.stringify(finding)}\n`);
    return problems.length === 0 && findings.length === 0;
  } finally {
    await tripe.remove();
  }
}

function percentiles(all: readonly number[]): string {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `${all.length} times, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`;
}
