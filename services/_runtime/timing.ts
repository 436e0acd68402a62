import type { Span } from "./call.ts";

// A plan has some 5 calls and a batch some 50; more would not fit the 8 KiB that proxies allow a header.
const SPANS_MAX = 64;

// A service and an rpc. What else came would stand in a header of a public answer.
const NAME = /^[A-Za-z.]{1,100}$/;

// No call takes a day.
const MS_MAX = 86_400_000;

/** Writes spans for the trailer that carries them back to a caller: "reader.GetPayer;0.31;4.2,…". */
export function encodeSpans(spans: readonly Span[]): string {
  const kept = spans.slice(0, SPANS_MAX);
  return kept.map((span) => `${span.name};${round(span.startMs)};${round(span.ms)}`).join(",");
}

/** Reads such a trailer; whatever is not well-formed is left out. Starts are moved by `offsetMs`. */
export function decodeSpans(text: string, offsetMs: number): Span[] {
  const spans: Span[] = [];
  for (const row of text.split(",", SPANS_MAX)) {
    const [name = "", start = "", length = ""] = row.split(";", 3);
    const [startMs, ms] = [Number(start), Number(length)];
    // NaN is no length either.
    if (NAME.test(name) && start !== "" && length !== "" && Number.isFinite(startMs) && ms >= 0 && ms < MS_MAX) {
      spans.push({ name, startMs: startMs + offsetMs, ms });
    }
  }
  return spans;
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
