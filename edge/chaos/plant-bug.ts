import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestServer } from "../../services/_database/testing-server.ts";
import { createEnvironment } from "../../services/_runtime/config.ts";
import type { PlantedBug } from "./planted-bugs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** All that a test needs of the repository. */
const COPIED = ["services", "edge", "gen", "package.json", "tsconfig.json"];

/** A file of tests with its start takes some 5 s; on a busy machine, some more. */
const TEST_MAX_MS = 120_000;

/** A copy of Tripe's sources to plant bugs in. */
export interface Field {
  /** Plants one bug, runs the test that must find it, digs the bug out again, and tells which tests failed. */
  tryBug(bug: PlantedBug): Promise<string[]>;
  remove(): Promise<void>;
}

/** Makes a copy whose tests use a Postgres that runs already; without one, each run starts its own. */
export async function createField(testServer?: TestServer): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), "tripe-field-"));
  for (const name of COPIED) await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "vitest.config.mjs"), configOf(folder, testServer));
  return {
    async tryBug({ file, find, put, test }) {
      const path = join(folder, file);
      const sound = await readFile(path, "utf8");
      if (sound.split(find).length !== 2) throw new Error(`${file} does not have exactly once: ${find}`);
      await writeFile(
        path,
        sound.replace(find, () => put),
      );
      try {
        return await failuresOf(folder, test);
      } finally {
        await writeFile(path, sound);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function configOf(folder: string, testServer: TestServer | undefined): string {
  const server = testServer === undefined ? {} : { provide: { testServer } };
  const test = { include: ["**/*.test.ts"], cacheDir: join(folder, "cache"), testTimeout: 30_000, ...server };
  return `export default ${JSON.stringify({ root: folder, cacheDir: join(folder, "cache"), test })};\n`;
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** The names of the tests that failed. Rejects when no test ran: a bug that keeps a file from loading is not found by a test. */
async function failuresOf(folder: string, { file, name }: PlantedBug["test"]): Promise<string[]> {
  const output = join(folder, "report.json");
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const words = ["run", "--config", "vitest.config.mjs", "--reporter=json", `--outputFile=${output}`, "-t", pattern];
  const child = spawn(process.execPath, [vitest, ...words, file], {
    cwd: folder,
    env: createEnvironment({}),
    stdio: "ignore",
    timeout: TEST_MAX_MS,
  });
  await new Promise((resolve) => child.once("exit", resolve));
  const report: Report = JSON.parse(await readFile(output, "utf8"));
  await rm(output);
  const ran = report.testResults.flatMap(({ assertionResults }) => assertionResults).filter(isRun);
  if (ran.length === 0) throw new Error(`no test ran of ${file}: ${report.testResults[0]?.message ?? ""}`);
  return ran.filter(({ status }) => status === "failed").map(({ fullName }) => fullName);
}

function isRun({ status }: { readonly status: string }): boolean {
  return status === "failed" || status === "passed";
}
