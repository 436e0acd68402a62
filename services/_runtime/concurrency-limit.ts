import type { Clock } from "./clock.ts";

/** How many of something may be in progress at once, by how long each waits. */
export interface ConcurrencyLimit {
  /** How many may be in progress now: a whole number, from `min` to `max`. */
  limit(): number;
  /** How many are. */
  inProgress(): number;
  /** Counts one that begins, whether or not there is room: the caller asks `hasRoom` first. Gives the function that ends it. */
  begin(): EndOne;
  /** Whether another may begin that must leave a share of the places to others: 1 takes every place. */
  hasRoom(share?: number): boolean;
}

/** How long one took of Tripe's own time, waits for others' systems left out. */
export interface OwnTime {
  /** What it is compared with: work that takes as long where there is no load. */
  readonly kind: string;
  readonly ownMs: number;
}

/** Ends one that was in progress, with how long it took where that is known. Later calls do nothing. */
export type EndOne = (sample?: OwnTime) => void;

/** What a limit is made with. */
export interface ConcurrencyLimitOptions {
  readonly clock: Pick<Clock, "preciseMs">;
  readonly min: number;
  readonly max: number;
  /** The delay, above the least that a kind takes, that half of all may have. */
  readonly targetMs: number;
}

/** Often enough to come down to a quarter within 2 s and up again within 4; with samples enough to have a median. */
const WINDOW_MS = 250;

/** Fewer than this tell nothing: a window goes on until it has them. */
const SAMPLES_MIN = 8;

/** The most that one window takes off: a single slow moment is no overload. */
const DECREASE_MAX = 0.7;

/** What one window adds, as a share, where there is no delay at all; less, the nearer the target. */
const INCREASE = 0.15;

/**
 * Delays must last so long before anything is taken off: what stood still for a moment, such as a service that is replaced, is answered late
 * all at once, and no overload. RFC 8289 waits for 100 ms, of packets.
 */
const LATE_MIN_MS = 1_000;

/** RFC 6817, 4.2: base delays are kept for ten minutes, so that a lasting overload does not become what is usual. */
const BASE_PERIOD_MS = 60_000;
const BASE_PERIODS_COUNT = 10;

/** More kinds than a public API has routes: a mistake of the caller's must not fill the memory. */
const KINDS_MAX = 500;

/**
 * Makes a limit that adapts as LEDBAT does (RFC 6817): the delay that work meets is what it takes above the least that its kind has taken in the
 * last minutes. While the median stays under the target the limit rises; when it lasts above, it is multiplied down. It begins at `max`, never leaves
 * `min` to `max`, and learns nothing from what began before its last change.
 *
 * The delay is bounded, and not its ratio to the least: group commit makes throughput grow up to some hundred in progress, at ten times the
 * latency of one, so that a limit by ratio (Vegas, Gradient2) would settle at a fraction of the peak.
 */
export function createConcurrencyLimit({ clock, min, max, targetMs }: ConcurrencyLimitOptions): ConcurrencyLimit {
  const bases = createBases();
  let limit = max;
  let inProgress = 0;
  let delays: number[] = [];
  let windowStartMs = clock.preciseMs();
  let changeMs = windowStartMs;
  let lateSinceMs: number | undefined;
  const adapt = (nowMs: number) => {
    const medianMs = medianOf(delays);
    const isLate = medianMs > targetMs;
    if (!isLate) lateSinceMs = undefined;
    else lateSinceMs ??= nowMs;
    const isLasting = lateSinceMs !== undefined && nowMs - lateSinceMs >= LATE_MIN_MS;
    const next = isLate
      ? Math.max(min, isLasting ? limit * Math.max(DECREASE_MAX, targetMs / medianMs) : limit)
      : Math.min(max, limit * (1 + INCREASE * (1 - medianMs / targetMs)));
    if (next !== limit) changeMs = nowMs;
    limit = next;
    delays = [];
    windowStartMs = nowMs;
  };
  return {
    limit: () => Math.floor(limit),
    inProgress: () => inProgress,
    hasRoom: (share = 1) => inProgress < Math.max(1, Math.floor(limit * share)),
    begin() {
      inProgress += 1;
      const startMs = clock.preciseMs();
      let hasEnded = false;
      return (sample) => {
        if (hasEnded) return;
        hasEnded = true;
        inProgress -= 1;
        if (sample === undefined) return;
        const nowMs = clock.preciseMs();
        const delayMs = sample.ownMs - bases.least(sample, nowMs);
        // What began under another limit says nothing of this one.
        if (startMs < changeMs) return;
        delays.push(delayMs);
        if (nowMs - windowStartMs >= WINDOW_MS && delays.length >= SAMPLES_MIN) adapt(nowMs);
      };
    },
  };
}

/** The least that each kind has taken, in this period and those before. */
function createBases() {
  const byKind = new Map<string, { periods: number[]; periodStartMs: number }>();
  return {
    /** Counts one, and gives the least of its kind, this one included. */
    least({ kind, ownMs }: OwnTime, nowMs: number): number {
      const base = byKind.get(kind) ?? { periods: [ownMs], periodStartMs: nowMs };
      if (!byKind.has(kind) && byKind.size < KINDS_MAX) byKind.set(kind, base);
      if (nowMs - base.periodStartMs >= BASE_PERIOD_MS) {
        base.periodStartMs = nowMs;
        base.periods = [ownMs, ...base.periods].slice(0, BASE_PERIODS_COUNT);
      }
      base.periods[0] = Math.min(base.periods[0] ?? ownMs, ownMs);
      return Math.min(...base.periods);
    },
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
