/** Zones that differ: none, one hour, half an hour, at midnight, south, around Ramadan, far from Greenwich, quarter hours. */
export const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "America/Santiago",
  "Africa/Casablanca",
  "Africa/Cairo",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "Asia/Kathmandu",
] as const;

/** What clock and calendar of a zone show, as if it were UTC: `new Date(wallMs).toISOString()` reads it. By Intl alone. */
export function wallMsOf(moment: Date, zone: string): number {
  const parts = new Map(
    formatterOf(zone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = ORDER.map((type) => parts.get(type));
  return Date.UTC(year, month - 1, day, hour, minute, second) + moment.getUTCMilliseconds();
}

/** The moment at which a zone shows a time: the first of two, and as far past a skipped hour as the time was into it. */
export function momentOfWall(wallMs: number, zone: string): Date {
  const [before, after] = [-DAY_MS, DAY_MS].map((awayMs) => offsetMsAt(wallMs + awayMs, zone));
  const candidates = [before, after].map((offsetMs = 0) => new Date(wallMs - offsetMs));
  const shown = candidates.filter((candidate) => wallMsOf(candidate, zone) === wallMs);
  return new Date(shown.length === 0 ? wallMs - (before ?? 0) : Math.min(...shown.map(Number)));
}

const DAY_MS = 86_400_000;

const ORDER = ["year", "month", "day", "hour", "minute", "second"] as const;

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const numeric = Object.fromEntries(ORDER.map((type) => [type, "numeric"]));
  const made = new Intl.DateTimeFormat("en-US", { ...numeric, timeZone: zone, hourCycle: "h23" });
  formatters.set(zone, made);
  return made;
}

function offsetMsAt(momentMs: number, zone: string): number {
  return wallMsOf(new Date(momentMs), zone) - momentMs;
}
