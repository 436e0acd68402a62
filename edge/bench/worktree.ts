import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Another commit, checked out beside this one. */
export interface Worktree {
  readonly path: string;
  remove(): Promise<void>;
}

/** Checks a git ref out into a temporary folder, with this checkout's packages when the lock file is the same, else its own. */
export async function openWorktree(root: string, ref: string): Promise<Worktree> {
  const path = await mkdtemp(join(tmpdir(), "tripe-bench-before-"));
  const remove = async () => {
    await run("git", ["-C", root, "worktree", "remove", "--force", path]).catch(() => undefined);
    await rm(path, { recursive: true, force: true });
  };
  try {
    await run("git", ["-C", root, "worktree", "add", "--detach", "--force", path, ref]);
    await addPackages(root, path);
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function addPackages(root: string, path: string): Promise<void> {
  const [ours, theirs] = await Promise.all([root, path].map((one) => readFile(join(one, "package-lock.json"), "utf8")));
  if (ours === theirs) await symlink(join(root, "node_modules"), join(path, "node_modules"));
  else await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: path, maxBuffer: 1 << 26 });
}
