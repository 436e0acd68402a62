import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Exercise } from "./exercises.ts";

const root = join(import.meta.dirname, "..", "..");
const VITEST = join(root, "node_modules", "vitest", "vitest.mjs");

/** Parts of the soak that need no Tripe of the soak's, or bring their own: other programs' work, over and over. */
export const programs: Readonly<Record<string, Exercise>> = {
  crashes: {
    row: "T1",
    sentence: "a process dies at each crash point of each action, rounds of all",
    size: 20,
    async run(rounds) {
      const config = join(root, ".config", "vitest.config.ts");
      const words = [VITEST, "run", "--mode", "soak", "--config", config, "edge/chaos/crash.test.ts"];
      for (let round = 0; round < rounds; round += 1) {
        if (!(await runNode(words))) return { figures: [], problems: [`round ${round + 1} failed`] };
      }
      return { figures: [`${rounds} rounds`], problems: [] };
    },
  },
  simulation: {
    row: "T29",
    sentence: "all services in one process by a seed, seeds in a row",
    size: 50_000,
    async run(count, seed) {
      const isGood = await runNode([join(import.meta.dirname, "simulate.ts"), `seed=${seed}`, `count=${count}`]);
      const problems = isGood ? [] : ["some seeds failed: they are named above"];
      return { figures: [`${count} seeds from ${seed}`], problems };
    },
  },
};

function runNode(words: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code === 0));
  });
}
