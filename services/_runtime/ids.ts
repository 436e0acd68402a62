import { type Clock, systemClock } from "./clock.ts";
import { randomBytes } from "./random.ts";

/** The alphabet of ids in ASCII order, so that comparing bytes (Postgres' collation "C") compares numbers. */
export const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// 62^8 ms after 1970 is the year 8888.
const TIME_CHARS = 8;
// 62^3 = 238,328 ids in one millisecond, a hundred times what one process can make.
const COUNTER_CHARS = 3;
const COUNTER_END = 62 ** COUNTER_CHARS;
// Each millisecond starts below 62^2, so that ids of many processes interleave and 98 % of the counter stays free.
const COUNTER_START_END = 62 ** 2;
// 62^13 is 77 bits: an id cannot be guessed, nor met twice by processes that share a millisecond and a counter.
const RANDOM_CHARS = 13;
// The largest multiple of 62 in a byte: bytes from here on are dropped, or the first characters would come more often.
const BYTE_END = 248;

/** Makes a prefix into an id: the prefix and 24 characters of base62. */
export type CreateId = (prefix: string) => string;

/**
 * Makes a maker of ids. In one process later ids are greater, byte by byte, even when the clock is set back: time in
 * milliseconds, a counter, then chance.
 */
export function createIdFactory(clock: Clock): CreateId {
  let lastMs = 0;
  let counter = 0;
  const step = () => {
    const nowMs = clock.nowMs();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = randomBytes(2).readUInt16BE() % COUNTER_START_END;
    } else if (counter + 1 < COUNTER_END) {
      counter += 1;
    } else {
      lastMs += 1;
      counter = 0;
    }
  };
  return (prefix) => {
    step();
    return prefix + toBase62(lastMs, TIME_CHARS) + toBase62(counter, COUNTER_CHARS) + randomBase62(RANDOM_CHARS);
  };
}

const createOwnId: CreateId = createIdFactory(systemClock);
let create: CreateId = createOwnId;

/** Makes the id of a new object, such as `createId("cus_")`: ordered by creation inside this process. */
export const createId: CreateId = (prefix) => create(prefix);

/** For the simulation, whose runs have to repeat: ids are of this clock's time until the returned function is called. */
export function replaceIdClock(clock: Clock): () => void {
  create = createIdFactory(clock);
  return () => {
    create = createOwnId;
  };
}

/** Returns so many unguessable characters of base62, each equally likely: 5.95 bits a character. */
export function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) {
      if (byte < BYTE_END) text += BASE62.charAt(byte % 62);
    }
  }
  return text;
}

function toBase62(value: number, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) text = BASE62.charAt(rest % 62) + text;
  return text;
}

/** Reads when an id was made, in milliseconds since 1970; Infinity of an id of another make, which bears no time. */
export function timeOfId(id: string): number {
  const chars = id.slice(id.lastIndexOf("_") + 1);
  if (chars.length !== TIME_CHARS + COUNTER_CHARS + RANDOM_CHARS) return Number.POSITIVE_INFINITY;
  const digits = [...chars.slice(0, TIME_CHARS)].map((char) => BASE62.indexOf(char));
  if (digits.includes(-1)) return Number.POSITIVE_INFINITY;
  return digits.reduce((sum, digit) => sum * BASE62.length + digit, 0);
}
