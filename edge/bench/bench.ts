import { join } from "node:path";
import { systemClock } from "../../services/_runtime/clock.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { readBenchArguments } from "./arguments.ts";
import { measures } from "./measures.ts";
import { tableOf } from "./report.ts";
import { writeResults } from "./results.ts";
import { describeCommit, describeRig } from "./rig.ts";
import { type Taken, takeMeasures } from "./take-measures.ts";
import { openWorktree } from "./worktree.ts";

endQuietlyWithReader();

// npm run bench -- [measure …] [size=number …] [wiring=one] [--against <git ref>]
// Measures Tripe beside its yardsticks (edge/bench/README.md). Exit code 1 when a figure is void: when the books after it do
// not balance, or commits were not on disk.

const root = join(import.meta.dirname, "..", "..");
const print = (line: string) => process.stdout.write(`${line}\n`);

try {
  process.exitCode = await bench();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function bench(): Promise<number> {
  const startMs = systemClock.preciseMs();
  const asked = readBenchArguments(process.argv.slice(2), Object.keys(measures));
  const { names, sizes, against } = asked;
  const chosen = Object.fromEntries(
    Object.entries(measures).filter(([name]) => names.length === 0 || names.includes(name)),
  );
  const rig = await describeRig();
  print(rig);
  const take = (checkout: string) => takeMeasures({ ...asked, root: checkout, print }, chosen);
  let before: Taken | undefined;
  if (against !== undefined) {
    const worktree = await openWorktree(root, against);
    try {
      print(`\nbefore: ${await describeCommit(worktree.path)}`);
      before = await take(worktree.path);
    } finally {
      await worktree.remove();
    }
    print("\nafter:");
  }
  const after = await take(root);
  print(`\n${tableOf(after.figures, before?.figures)}\n`);
  const minutes = (systemClock.preciseMs() - startMs) / 60_000;
  const commits = { before: against, after: await describeCommit(root) };
  // One turn is a quick look: it shows no spread.
  const isKept = sizes.turns > 1;
  if (isKept) await writeResults({ rig, sizes, commits, minutes, before, after });
  const voids = [...(before?.voids ?? []), ...after.voids];
  for (const reason of voids) print(`VOID: ${reason}`);
  print(`${rig}; ${minutes.toFixed(1)} min; ${isKept ? "written" : "one turn: not written"} to edge/bench/RESULTS.md`);
  return voids.length === 0 ? 0 : 1;
}
