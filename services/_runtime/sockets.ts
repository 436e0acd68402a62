import { hash } from "node:crypto";
import { lstat, mkdir, readdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import type { Clock } from "./clock.ts";

// What sun_path holds, less the final zero byte: 107 bytes on Linux, 103 on macOS and the BSDs.
const PATH_MAX_BYTES = process.platform === "linux" ? 107 : 103;

// The longest name of a socket: "sandbox-bank", a pid of 7 digits, and the second of its process.
const NAME_MAX_BYTES = "/sandbox-bank.4194304-99.sock".length;

// How often a server looks whether its name still leads to somebody who lives.
const CLAIM_MS = 1_000;

/**
 * The folder of a data folder's sockets: `run` in it, or, where that path is too long for a socket, one in /tmp whose name is
 * made of the user and the path.
 */
export function socketFolder(dataDir: string): string {
  const folder = join(resolve(dataDir), "run");
  if (Buffer.byteLength(folder) + NAME_MAX_BYTES <= PATH_MAX_BYTES) return folder;
  return `/tmp/tripe-${process.getuid?.() ?? 0}-${hash("sha256", folder).slice(0, 16)}`;
}

/** Makes a folder of sockets that its owner alone may enter, and removes what dead processes left there. */
export async function openSocketFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  if (!isOurs) throw new Error(`${folder} must be a folder of this user that nobody else may enter (chmod 700)`);
  for (const name of await readdir(folder)) {
    const pid = Number(/^.+\.(\d+)(?:-\d+)?\.(?:sock|link)$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || isAlive(pid) || (await isListening(join(folder, name)))) continue;
    await rm(join(folder, name), { force: true });
  }
}

/** A name among the sockets of a folder, held by this process. */
export interface SocketClaim {
  /** The path of this process's own socket: `<folder>/<name>.<pid>.sock`. */
  readonly path: string;
  /** Leads `<folder>/<name>.sock` to this process from now on, and again whenever whom it leads to is dead. */
  take(): Promise<void>;
  /** Takes the name no more. It is left to whoever has it, or takes it next. */
  release(): void;
}

let claimsCount = 0;

/** Chooses the path of a socket of this process. The folder must be open. */
export function claimSocket({ folder, name, clock }: { folder: string; name: string; clock: Clock }): SocketClaim {
  claimsCount += 1;
  const own = `${name}.${process.pid}${claimsCount === 1 ? "" : `-${claimsCount}`}`;
  const link = join(folder, `${name}.sock`);
  let cancelTimer = () => {};
  let isReleased = false;
  // A link cannot be replaced, but a new one can be renamed over it: nobody ever finds no link.
  const take = async () => {
    const draft = join(folder, `${own}.link`);
    await rm(draft, { force: true });
    await symlink(`${own}.sock`, draft);
    await rename(draft, link);
  };
  const watch = () => {
    if (isReleased) return;
    cancelTimer = clock.setTimer(() => void check().then(watch, watch), CLAIM_MS);
  };
  const check = async () => {
    const target = await readlink(link).catch(() => "");
    if (target === `${own}.sock` || (await isListening(link)) || isReleased) return;
    await take();
  };
  return {
    path: join(folder, `${own}.sock`),
    async take() {
      await take();
      watch();
    },
    release() {
      isReleased = true;
      cancelTimer();
    },
  };
}

/** Says whether somebody listens on a socket. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolveWith) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolveWith(true);
    });
    probe.once("error", () => resolveWith(false));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It may be another user's: then it lives.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
