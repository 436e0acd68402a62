import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));

const all = ["services/**/*.test.ts", "edge/**/*.test.ts"];
/** These measure: two cores are theirs alone. */
const alone = ["edge/outages.test.ts", "edge/plans.test.ts"];
/** These start a whole Tripe, or many programs, and wait for it more than they compute. */
const whole = ["edge/chaos/*.test.ts", "services/all.test.ts", "services/settings.test.ts"];

/** Longest first, where no earlier run has left its times: a file of a minute that begins last keeps one core alone. */
const longest = [
  "chaos/kill",
  "chaos/simulation",
  "chaos/renewals",
  "chaos/send",
  "edge/health",
  "transactions/bad-day",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = longest.findIndex((name) => moduleId.endsWith(`${name}.test.ts`));
      return rank === -1 ? longest.length : rank;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

// biome-ignore lint/style/noDefaultExport: vitest reads a default export and nothing else.
export default defineConfig(({ mode }) => ({
  root,
  test: {
    // Said by the soak, which has the time: vitest --mode soak=20000. How much of a test it asks for; 0 in npm test.
    provide: { soakSize: Number(/^soak=([0-9]+)$/.exec(mode)?.[1] ?? 0) },
    // Programs that tests start compile once for all runs of this checkout.
    env: { NODE_COMPILE_CACHE: `${root}node_modules/.cache/tripe/compiled` },
    globalSetup: [`${root}/services/_database/testing-setup.ts`],
    // Two cores, and a Postgres beside: more workers only wait for each other.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // A test of real processes on a busy machine; one that hangs ends its file all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          isolate: false,
          include: all,
          exclude: [...configDefaults.exclude, ...alone, ...whole],
        },
      },
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: "whole", include: whole, sequence: { groupOrder: 2 } } },
    ],
  },
}));
