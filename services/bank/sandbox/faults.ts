import { createRandom } from "../random.ts";

/** Ways in which a bank goes wrong over one request. */
export const FAULT_KINDS = [
  /** Done, and never answered. */
  "lose",
  /** Neither done nor answered. */
  "drop",
  /** Done at once, answered late. */
  "late",
  /** Done late, and answered then. */
  "delay",
  /** Done once, answered twice. */
  "double",
  /** Done, the connection reset in the middle of the answer. */
  "reset",
  /** Done, answered with a message that is cut off. */
  "malformed",
  /** Done, answered about somebody else's reference. */
  "echo",
] as const;

/** One of the ways in which a bank goes wrong. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What goes wrong with one request, and after how long it is answered when it is late. */
export interface Fault {
  readonly kind: FaultKind;
  readonly lateMs: number;
}

/** Says what goes wrong with the next request; undefined for nothing. */
export type NextFault = () => Fault | undefined;

/** A bank that works. */
export const NO_FAULTS: NextFault = () => undefined;

/** How late the late are: 5 to 120 s (design/3-money.md). */
const LATE_MIN_MS = 5_000;
const LATE_MAX_MS = 120_000;

/**
 * Makes the faults of a text such as `42:lose=5,drop=5,late=3`: the seed, then percentages, then, if wanted, `scale=0.01` for the times.
 * The same text gives the same faults in the same order. Throws when the text is malformed.
 */
export function parseFaults(text: string): NextFault {
  const [seed = "", mix = ""] = text.split(":");
  const parts = new Map(mix.split(",").map((part) => readPart(part)));
  const scale = parts.get("scale") ?? 1;
  parts.delete("scale");
  const kinds = FAULT_KINDS.map((kind) => [kind, parts.get(kind) ?? 0] as const);
  const unknown = [...parts.keys()].find((name) => !kinds.some(([kind]) => kind === name));
  if (!/^[0-9]+$/.test(seed) || unknown !== undefined) throw new Error(`No faults of a bank: ${text}`);
  const random = createRandom(Number(seed));
  return () => {
    const lateMs = (LATE_MIN_MS + random() * (LATE_MAX_MS - LATE_MIN_MS)) * scale;
    const kind = pick(kinds, random() * 100);
    return kind === undefined ? undefined : { kind, lateMs };
  };
}

function readPart(part: string): [string, number] {
  const [name = "", value = ""] = part.split("=");
  if (!/^[0-9]+(\.[0-9]+)?$/.test(value)) throw new Error(`No part of a bank's faults: ${part}`);
  return [name, Number(value)];
}

function pick(kinds: readonly (readonly [FaultKind, number])[], percent: number): FaultKind | undefined {
  let sum = 0;
  return kinds.find(([, share]) => {
    sum += share;
    return percent < sum;
  })?.[0];
}
