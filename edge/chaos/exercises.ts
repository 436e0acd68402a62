import { reservePorts } from "../../services/_runtime/testing/reserve-ports.ts";
import { floods } from "./floods.ts";
import { createMerchant } from "./merchant.ts";
import { overload } from "./overload.ts";
import { type Phase, phases } from "./phases.ts";
import { createField } from "./plant-bug.ts";
import { plantedBugs } from "./planted-bugs.ts";
import { programs } from "./programs.ts";
import { prove } from "./proof.ts";
import { createRandom } from "./random.ts";
import { replacements } from "./replacements.ts";
import { createWholeTripe } from "./whole-tripe.ts";
import { chargeOverTwoWriters } from "./writers.ts";

/** What one part of the soak counted and measured, and what contradicts the promise. */
export interface Found {
  readonly figures: readonly string[];
  readonly problems: readonly string[];
}

/** One part of the soak. */
export interface Exercise {
  /** The row of RESULTS.md. */
  readonly row: string;
  readonly sentence: string;
  /** How much of it when nothing else is asked for: that row's right-hand size. */
  readonly size: number;
  /** The least that shows anything; default 1. */
  readonly sizeMin?: number;
  /** The most there is; default no end. */
  readonly sizeMax?: number;
  run(size: number, seed: number): Promise<Found>;
}

/** A Tripe's ports, and one for a second edge. */
const PORTS = 12;

/** Each part of the soak by the word that asks for it. */
export const exercises: Readonly<Record<string, Exercise>> = {
  ...Object.fromEntries(
    Object.entries({ ...phases, ...floods, ...replacements }).map(([name, phase]) => [name, onWholeTripe(phase)]),
  ),
  bugs: {
    row: "T28",
    sentence: "planted bugs, each of which a named test must find",
    size: plantedBugs.length,
    sizeMax: plantedBugs.length,
    run: findBugs,
  },
  writers: {
    row: "T26",
    sentence: "charges through an edge on another machine, over mutual TLS and two writers on two machines",
    size: 1_000,
    run: async (count) => chargeOverTwoWriters({ port: await reservePorts(PORTS), count }),
  },
  overload: {
    row: "T27",
    sentence: "charges offered at 2 and 5 times the peak, then half of it, seconds of each",
    size: 60,
    sizeMin: 5,
    run: async (seconds) => overload({ port: await reservePorts(PORTS), seconds }),
  },
  ...programs,
};

/** A phase on a Tripe of real processes of its own, and the proof after it. */
function onWholeTripe(phase: Phase): Exercise {
  const { row, sentence, size, bankFaults } = phase;
  const run = async (count: number, seed: number): Promise<Found> => {
    const faults = bankFaults === undefined ? {} : { TRIPE_BANK_FAULTS: `${seed}:${bankFaults}` };
    const tripe = await createWholeTripe(await reservePorts(PORTS), faults);
    const merchant = createMerchant(tripe);
    const times = new Map<string, number[]>();
    const note = (what: string, ms: number) => times.set(what, [...(times.get(what) ?? []), ms]);
    try {
      await tripe.start();
      await phase.run({ tripe, merchant, random: createRandom(seed), note }, count);
      const { problems, findings, chargesCount, paidCount, finalMs } = await prove(tripe, merchant, phase.finalMaxMs);
      return {
        figures: [
          `${chargesCount} charges, ${paidCount} paid, all final ${finalMs.toFixed(0)} ms after the last answer`,
          `answers: ${merchant.words()}`,
          ...[...times].map(([what, all]) => `${what}: ${percentiles(all)}`),
        ],
        problems: [...problems, ...findings.map((finding) => JSON.stringify(finding))],
      };
    } finally {
      await tripe.remove();
    }
  };
  return { row, sentence, size, run };
}

async function findBugs(count: number): Promise<Found> {
  const field = await createField();
  try {
    const problems: string[] = [];
    for (const bug of plantedBugs.slice(0, count)) {
      const failures = await field.tryBug(bug);
      if (failures.length === 0) problems.push(`no test finds it when ${bug.sentence}`);
    }
    return { figures: [`${count - problems.length} of ${count} found`], problems };
  } finally {
    await field.remove();
  }
}

function percentiles(all: readonly number[]): string {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `${all.length} times, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`;
}
