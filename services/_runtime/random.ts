import { randomFillSync } from "node:crypto";

// One system call per 4,096 bytes instead of one per id: a call's span id then costs 0.1 µs instead of 1.
const pool = Buffer.allocUnsafe(4_096);
let used = pool.length;
const DIGITS_BYTES = 1_024;
let fill: (bytes: Buffer) => void = randomFillSync;

/** Returns `count` unguessable bytes, good until the next call; at most 4,096 at once. */
export function randomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    fill(pool);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}

// Every call has a span id: a piece of a long string of digits costs a third of a Buffer and its hexadecimal form.
let digits = "";
let digitsUsed = 0;

/** Returns 2 × `count` unguessable hexadecimal digits; `count` is 64 at the most. */
export function randomHex(count: number): string {
  const end = digitsUsed + 2 * count;
  if (end > digits.length) {
    digits = randomBytes(DIGITS_BYTES).toString("hex");
    digitsUsed = 0;
    return randomHex(count);
  }
  const text = digits.slice(digitsUsed, end);
  digitsUsed = end;
  return text;
}

/** Returns a number from 0 up to 1, as Math.random does. */
export function randomShare(): number {
  return randomBytes(4).readUInt32BE() / 2 ** 32;
}

/** For the simulation, whose runs have to repeat: chance comes from this source until the returned function is called. */
export function replaceRandomness(source: (bytes: Buffer) => void): () => void {
  const set = (next: (bytes: Buffer) => void) => {
    fill = next;
    used = pool.length;
    digitsUsed = digits.length;
  };
  set(source);
  return () => set(randomFillSync);
}
