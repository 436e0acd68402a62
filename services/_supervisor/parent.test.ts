import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const program = join(import.meta.dirname, "testing", "wait-for-parent.ts");

// SIGTERM npm passes on, to its shell alone; of the others neither the shell nor the program learns.
test.each(["SIGTERM", "SIGHUP", "SIGKILL"] as const)(
  "%s to npm's own pid ends what npm runs",
  async (signal) => {
    const folder = await mkdtemp(join(tmpdir(), "tripe-parent-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const start = `${JSON.stringify(process.execPath)} ${JSON.stringify(program)}`;
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "waits", scripts: { start } }));
    const npm = spawn("npm", ["start", "--silent"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    // The whole group, should it not end by itself.
    onTestFinished(() => {
      if (npm.stdout.readableEnded === false && npm.pid !== undefined) process.kill(-npm.pid, "SIGKILL");
    });
    const ended = once(npm.stdout, "end");
    const [words] = await once(npm.stdout, "data");
    expect(String(words)).toBe("waiting\n");
    process.kill(npm.pid ?? 0, signal);
    // Ends when the last holder of this pipe has ended, which is the program.
    await ended;
  },
  30_000,
);
