// Runs before `npm start` and `npm test`, on whatever Node (20 or newer) the machine has: installs the locked
// dependencies when they are missing or older than the lock file.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = `${root}node_modules/.package-lock.json`;
const wanted = `${root}package-lock.json`;
// One folder, one install at a time. Not in node_modules, which `npm ci` removes, and not where git would see it.
const lock = `${tmpdir()}/tripe-install-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`;

// An install takes 15 s here; over a slow network some minutes. Then whoever holds the lock is taken for dead.
const waitMaxMs = 10 * 60_000;
const pollMs = 200;

if (isMissing()) {
  takeLock();
  try {
    // Somebody else may have installed while this one waited.
    if (isMissing()) install();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isMissing() {
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs;
}

function takeLock() {
  const deadline = Date.now() + waitMaxMs;
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(`${lock}/pid`, String(process.pid));
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isAbandoned() || Date.now() > deadline) rmSync(lock, { recursive: true, force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pollMs);
  }
}

function isAbandoned() {
  try {
    process.kill(Number(readFileSync(`${lock}/pid`, "utf8")), 0);
    return false;
  } catch (error) {
    // Without a pid yet, its owner is between two lines of takeLock, or died there.
    if (error.code === "ENOENT") return existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 5_000;
    return error.code === "ESRCH";
  }
}

function install() {
  const npm = process.env.npm_execpath;
  if (npm === undefined) {
    console.error("Run this through npm: `npm start`, `npm test`, or `npm ci` to install alone.");
    process.exit(1);
  }
  console.error("Installing what package-lock.json lists; this takes a moment once.");
  // npm's own script under this Node: no search on the PATH, no shell, the same on every system.
  const { status } = spawnSync(process.execPath, [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) {
    rmSync(lock, { recursive: true, force: true });
    process.exit(status ?? 1);
  }
}
