/** The value below which a share of the sorted values lies; NaN of none. */
export function percentileOf(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The arithmetic mean; NaN of none. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Four significant digits: runs on one machine differ by more than the fifth. */
export function roundTo4(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}

/** Latencies in milliseconds as they are reported. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The percentiles of unsorted latencies. */
export function percentilesOf(latencies: Iterable<number>): Percentiles {
  const sorted = Float64Array.from(latencies).sort();
  return { p50: percentileOf(sorted, 0.5), p99: percentileOf(sorted, 0.99), max: percentileOf(sorted, 1) };
}
