import type { Span } from "./call.ts";

// A plan has some 5 calls and a batch some 50; more would not fit the 8 KiB that proxies allow a header.
const SPANS_MAX = 64;

/** Writes spans for the trailer that carries them back to a caller: "reader.GetPayer;0.31;4.2,…". */
export function encodeSpans(spans: readonly Span[]): string {
  const kept = spans.slice(0, SPANS_MAX);
  return kept.map((span) => `${span.name};${round(span.startMs)};${round(span.ms)}`).join(",");
}

/** Reads such a trailer; whatever is not well-formed is left out. Starts are moved by `offsetMs`. */
export function decodeSpans(text: string, offsetMs: number): Span[] {
  const rows = text.matchAll(/([A-Za-z.]{1,100});(-?[\d.]{1,12});([\d.]{1,12})(?:,|$)/g);
  const spans = Array.from(rows, (row) => ({
    name: String(row[1]),
    startMs: Number(row[2]) + offsetMs,
    ms: Number(row[3]),
  }));
  return spans.slice(0, SPANS_MAX);
}

/** Writes the public header: "reader.GetPayer;start=0.31;dur=4.2, …", ordered by start. */
export function serverTiming(spans: readonly Span[]): string {
  const ordered = spans.toSorted((a, b) => a.startMs - b.startMs).slice(0, SPANS_MAX);
  return ordered.map((span) => `${span.name};start=${round(span.startMs)};dur=${round(span.ms)}`).join(", ");
}

/** Rounds milliseconds to hundredths, the finest that is not noise. */
export function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
