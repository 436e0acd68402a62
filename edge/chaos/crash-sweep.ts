import { spawn } from "node:child_process";
import type { createClient } from "../../services/_database/connect-client.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import type { Order, Work } from "./crash-order.ts";

/** How a driver's process ended. */
export interface Death {
  /** Whether it was killed; else it lived through its work. */
  readonly isKilled: boolean;
  /** Its last words: the point it died at, or, told no point, the name of each, one a line. */
  readonly words: string;
}

/** Where a driver does its work: what an order says beside the work and its end. */
export interface Place extends Omit<Order, "work" | "dieAt"> {
  /** The driver's program (crash-bundle.ts). */
  readonly program: string;
}

/** Has a process of its own do some work and die at the nth crash point it passes; 0 lets it live. Rejects when it fails. */
export function runDriver(place: Place, work: Work, dieAt: number): Promise<Death> {
  const { program, ...where } = place;
  const order: Order = { ...where, work, dieAt };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
    const words: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (bytes: Buffer) => words.push(bytes));
    child.stderr.on("data", (bytes: Buffer) => errors.push(bytes));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL" || code === 0) {
        resolve({ isKilled: signal === "SIGKILL", words: Buffer.concat(words).toString() });
      } else reject(new Error(`the driver failed: ${Buffer.concat(errors).toString()}`));
    });
  });
}

/** Does what time would: every lease ends, and whatever waits for its next try is due. */
export async function passTime(owner: ReturnType<typeof createClient>): Promise<void> {
  const past = "statement_timestamp() - interval '1 s'";
  await owner.query(`update attempt set resolve_time = ${past}, lease_end_time = ${past} where state = 'pending'`);
  await owner.query(`update invoice set lease_end_time = ${past} where lease_end_time is not null`);
  await owner.query(`update subscription set lease_end_time = ${past} where lease_end_time is not null`);
  await owner.query(`update mail set due_time = ${past} where state = 'due'`);
}

/** Postgres notices a killed client within milliseconds and lets go of its locks; until then its rows are passed over. */
const LOOK_EVERY_MS = 20;
const ROUNDS_MAX = 100;

/** Lets time pass and the sweeps run until it is so; rejects when it never is. */
export async function recover(
  owner: ReturnType<typeof createClient>,
  sweep: () => Promise<unknown>,
  isOver: () => Promise<boolean>,
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await passTime(owner);
    await sweep();
    if (await isOver()) return;
    await systemClock.sleep(LOOK_EVERY_MS);
  }
  throw new Error(`not over after ${ROUNDS_MAX} rounds of sweeps`);
}
