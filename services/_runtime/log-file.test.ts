import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "./clock.ts";
import { createEnvironment } from "./config.ts";
import { FLUSH_INTERVAL_MS, openLogFile } from "./log-file.ts";

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tripe-log-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a line is on disk soon after it was written, without a flush", async () => {
  const path = join(createFolder(), "edge.log");
  const file = openLogFile(path);
  file.write("one\n");
  await expect.poll(() => readFileSync(path, "utf8"), { timeout: 4_000, interval: FLUSH_INTERVAL_MS }).toBe("one\n");
  file.write("two\n");
  await expect.poll(() => readFileSync(path, "utf8"), { timeout: 4_000 }).toBe("one\ntwo\n");
});

test.each(["process.exit(3)", "throw new Error('crash')"])("what waits is written when a process ends by %s", (end) => {
  const path = join(createFolder(), "edge.log");
  const module = join(import.meta.dirname, "log-file.ts");
  const program = `import { openLogFile } from "${module}"; openLogFile("${path}").write("last\\n"); ${end};`;
  const run = () =>
    execFileSync(process.execPath, ["--input-type=module-typescript", "-e", program], {
      env: createEnvironment({}),
      stdio: "ignore",
    });
  expect(run).toThrow();
  expect(readFileSync(path, "utf8")).toBe("last\n");
});

test.skipIf(process.platform === "win32")(
  "beside a reader that stands still, memory holds 8 MB of lines and the rest is dropped, each line whole",
  async () => {
    const path = join(createFolder(), "edge.log");
    execFileSync("mkfifo", [path]);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(reader));
    const file = openLogFile(path);
    const line = `${"x".repeat(65_535)}\n`;
    for (let index = 0; index < 300; index += 1) file.write(line);
    const flushed = file.flush();
    const text = await readUntil(reader, flushed);
    expect(text.length % line.length).toBe(0);
    // A block on its way and what waits behind it: 129 lines of 300.
    expect(text.length / line.length).toBeLessThanOrEqual(130);
    expect(text).toBe(line.repeat(text.length / line.length));
  },
);

/** Reads a pipe until its writer has finished and it is empty. */
async function readUntil(pipe: number, finished: Promise<void>): Promise<string> {
  const parts: string[] = [];
  const block = Buffer.alloc(1_048_576);
  let isFinished = false;
  void finished.then(() => {
    isFinished = true;
  });
  for (;;) {
    const count = readSome(pipe, block);
    if (count > 0) parts.push(block.toString("latin1", 0, count));
    else if (isFinished) return parts.join("");
    else await systemClock.sleep(1);
  }
}

function readSome(pipe: number, block: Buffer): number {
  try {
    return readSync(pipe, block);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}
