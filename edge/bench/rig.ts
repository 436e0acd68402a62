import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { promisify } from "node:util";
import { findPgbench } from "./pgbench.ts";

const run = promisify(execFile);

/** Types of file systems as statfs(2) numbers them; others are shown by their number. */
const fileSystems: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "xfs",
  16914836: "tmpfs (in memory: a flush costs nothing)",
  2035054128: "overlayfs",
  2435016766: "btrfs",
};

/** The machine and the programs, in words. */
export async function describeRig(): Promise<string> {
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model.replaceAll("|", "/").trim() ?? "unknown";
  const { type } = await statfs(tmpdir());
  const program = await findPgbench();
  const pgbench = program === undefined ? "no pgbench" : (await run(program, ["--version"])).stdout.trim();
  return [
    `${availableParallelism()} × ${model}, ${memoryGb} GB, ${process.platform} ${release()}`,
    `data on ${fileSystems[type] ?? `file system ${type}`}`,
    `Node ${process.versions.node}`,
    pgbench,
    `load average at the start ${loadavg()[0]?.toFixed(1)}`,
  ].join("; ");
}

/** The commit of a checkout, with a word when it was changed since. */
export async function describeCommit(root: string): Promise<string> {
  const git = async (...words: string[]) => (await run("git", ["-C", root, ...words])).stdout.trim();
  try {
    const changed = await git("status", "--porcelain", "--untracked-files=no");
    return `${await git("rev-parse", "--short=10", "HEAD")}${changed === "" ? "" : " with changes"}`;
  } catch {
    return "not a git checkout";
  }
}
