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
  /** Not done; all connections are cut, and new ones refused for a while. */
  "outage",
  /** Done at once, answered slowly, and so are the requests around it. */
  "slow",
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

/** How late the late are, and how long an outage lasts: 5 to 120 s (design/3-money.md). */
const LATE_MS = { min: 5_000, max: 120_000 };
/** How slow the slow are: felt, and still within the 8 s that a client waits. */
const SLOW_MS = { min: 500, max: 5_000 };
/** Slowness comes in spells of so many requests, since a bank is slow to everybody at once. */
const SPELL_REQUESTS = 20;

/** What goes wrong how often: percentages by kind, a seed, and a scale for the times. */
export interface FaultPlan {
  readonly seed: number;
  readonly percents: ReadonlyMap<FaultKind, number>;
  readonly scale: number;
}

/**
 * Says what goes wrong with the n-th request for money (or inquiry), from 0. Pure: it depends on the plan and the number alone, so that the
 * same requests in the same order meet the same faults, whatever the time and whatever came before.
 */
export function faultAt({ seed, percents, scale }: FaultPlan, index: number): Fault | undefined {
  const { random, between } = drawsOf(seed, index);
  const kind = pick(percents, random() * 100);
  if (kind !== undefined) return { kind, lateMs: between(LATE_MS) * scale };
  // The other half of the seeds is that of the spells.
  const spell = drawsOf(seed ^ 0x80000000, Math.floor(index / SPELL_REQUESTS));
  if (spell.random() * 100 >= (percents.get("slow") ?? 0)) return undefined;
  return { kind: "slow", lateMs: spell.between(SLOW_MS) * scale };
}

/**
 * Makes the faults of a text such as `42:lose=5,drop=5,late=3`: the seed, then percentages, then, if wanted, `scale=0.01` for the times.
 * The same text gives the same faults in the same order. Throws when the text is malformed.
 */
export function parseFaults(text: string): NextFault {
  const plan = parsePlan(text);
  let index = 0;
  return () => faultAt(plan, index++);
}

function parsePlan(text: string): FaultPlan {
  const [seed = "", mix = ""] = text.split(":");
  const parts = new Map(mix.split(",").map((part) => readPart(part)));
  const scale = parts.get("scale") ?? 1;
  parts.delete("scale");
  const percents = new Map(FAULT_KINDS.map((kind) => [kind, parts.get(kind) ?? 0] as const));
  const unknown = [...parts.keys()].find((name) => !FAULT_KINDS.some((kind) => kind === name));
  if (!/^[0-9]+$/.test(seed) || unknown !== undefined) throw new Error(`No faults of a bank: ${text}`);
  return { seed: Number(seed), percents, scale };
}

/** Draws that depend on a seed and a number alone. The multiplier, 2^32 over the golden ratio, keeps those of near numbers apart. */
function drawsOf(seed: number, index: number) {
  const random = createRandom(seed + Math.imul(index, 0x9e3779b1));
  return { random, between: ({ min, max }: { min: number; max: number }) => min + random() * (max - min) };
}

function readPart(part: string): [string, number] {
  const [name = "", value = ""] = part.split("=");
  if (!/^[0-9]+(\.[0-9]+)?$/.test(value)) throw new Error(`No part of a bank's faults: ${part}`);
  return [name, Number(value)];
}

function pick(percents: FaultPlan["percents"], percent: number): FaultKind | undefined {
  let sum = 0;
  for (const [kind, share] of percents) {
    if (kind === "slow") continue;
    sum += share;
    if (percent < sum) return kind;
  }
  return undefined;
}
