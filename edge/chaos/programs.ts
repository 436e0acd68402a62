import { spawn } from "node:child_process";
import { join } from "node:path";
import { replaceUnderCalls } from "../../services/_runtime/testing/replace-probe.ts";
import type { Exercise, Found } from "./exercises.ts";

const root = join(import.meta.dirname, "..", "..");
const VITEST = join(root, "node_modules", "vitest", "vitest.mjs");

/** Parts of the soak that need no Tripe of the soak's, or bring their own: other programs' work, over and over. */
export const programs: Readonly<Record<string, Exercise>> = {
  crashes: {
    row: "T1",
    sentence: "a process dies at each crash point of each action, rounds of all",
    size: 20,
    async run(rounds) {
      for (let round = 0; round < rounds; round += 1) {
        const { problems } = await runTests({ file: "edge/chaos/crash.test.ts", size: rounds });
        if (problems.length > 0) return { figures: [`${round} rounds passed`], problems };
      }
      return { figures: [`${rounds} rounds`], problems: [] };
    },
  },
  simulation: {
    row: "T29",
    sentence: "what moves money, in one process by a seed: seeds in a row",
    size: 50_000,
    async run(count, seed) {
      const words = [join(import.meta.dirname, "simulate.ts"), `seed=${seed}`, `count=${count}`];
      const { isGood } = await runNode(words);
      const problems = isGood ? [] : ["some seeds failed: they are named above"];
      return { figures: [`${count} seeds from ${seed}`], problems };
    },
  },
  "replaced-probe": {
    row: "T50",
    sentence: "kill -9 of a process that another has replaced, under 50 calls a second over sockets",
    size: 100,
    async run(count) {
      const { callsCount, failures, processesCount, longestMs } = await replaceUnderCalls(count);
      const figures = [
        `${callsCount} calls, ${failures.length} failed, answered by ${processesCount} processes`,
        `the longest call took ${longestMs.toFixed(0)} ms`,
      ];
      return { figures, problems: failures };
    },
  },
  webhooks: deliver("T19", "webhooks to servers that fail, hang, drip, flood or send elsewhere", 20_000, 20),
  rotation: deliver("T20", "webhooks while their endpoint's secret is rotated", 500, 100),
  poison: deliver("T21", "webhooks beside events that cannot be delivered", 1_000, 100),
  redrives: deliver("T22", "dead webhooks redriven twice", 1_000),
};

/**
 * The test of a row about webhooks, at the size asked for. Fewer than `sizeMin` are all on their way at once (an endpoint has 32
 * workers), so that nothing comes between two of them.
 */
function deliver(row: string, sentence: string, size: number, sizeMin = 1): Exercise {
  const file = "services/scheduler/deliveries.test.ts";
  return { row, sentence, size, sizeMin, run: (count) => runTests({ file, size: count, only: row }) };
}

/** Runs a file's tests, or those of a row alone; what they say of themselves is what was found. */
async function runTests({ file, size, only }: { file: string; size: number; only?: string }): Promise<Found> {
  const config = join(root, ".config", "vitest.config.ts");
  const words = [VITEST, "run", "--mode", `soak=${size}`, "--config", config, file];
  const { isGood, output } = await runNode(only === undefined ? words : [...words, "-t", `${only}:`]);
  const figures = output.split("\n").filter((line) => only !== undefined && line.startsWith(`${only}: `));
  return { figures, problems: isGood ? [] : [`${file} failed, as printed above`] };
}

/** Runs a program whose output is shown, and kept. */
function runNode(words: readonly string[]): Promise<{ isGood: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    const output: Buffer[] = [];
    child.stdout.on("data", (bytes: Buffer) => {
      output.push(bytes);
      process.stdout.write(bytes);
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ isGood: code === 0, output: Buffer.concat(output).toString() }));
  });
}
