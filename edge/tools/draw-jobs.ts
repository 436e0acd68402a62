/** What `npm run jobs` shows. Ages are in milliseconds, undefined where nothing waits. */
export interface JobsPicture {
  readonly queues: readonly {
    readonly name: string;
    readonly waitingCount: number;
    readonly activeCount: number;
    readonly oldestAgeMs: number | undefined;
  }[];
  readonly dueCount: bigint;
  readonly deadCount: bigint;
  readonly oldestAgeMs: number | undefined;
  readonly alerts: readonly AlertLine[];
}

/** One alert: open, or resolved so many milliseconds ago. */
export interface AlertLine {
  readonly alertId: string;
  readonly reason: string;
  /** What it is about; may be empty. */
  readonly objectId: string;
  readonly ageMs: number;
  readonly resolvedAgeMs: number | undefined;
}

/** Draws the queues as a table for a terminal, then deliveries and alerts, a line each. */
export function drawJobs({ queues, dueCount, deadCount, oldestAgeMs, alerts }: JobsPicture): string {
  const rows = queues.map((one) => [one.name, one.waitingCount, one.activeCount, ageOf(one.oldestAgeMs)]);
  const table = [["queue", "waiting", "active", "oldest"], ...rows].map(([name, ...cells]) =>
    [String(name).padEnd(14), ...cells.map((cell) => String(cell).padStart(9))].join(""),
  );
  const late = oldestAgeMs === undefined ? "none late" : `the latest by ${ageOf(oldestAgeMs)}`;
  const dead = deadCount === 0n ? "none dead" : `${deadCount} dead: npm run jobs -- redrive webhook`;
  const openCount = alerts.filter(({ resolvedAgeMs }) => resolvedAgeMs === undefined).length;
  const open = openCount === 0 ? "none open" : `${openCount} open: npm run jobs -- resolve <alert>`;
  return `${[...table, `deliveries: ${dueCount} due, ${late}; ${dead}`, `alerts: ${open}`, ...alerts.map(alertLine)].join("\n")}\n`;
}

function alertLine({ alertId, reason, objectId, ageMs, resolvedAgeMs }: AlertLine): string {
  const end = resolvedAgeMs === undefined ? "" : `, resolved ${ageOf(resolvedAgeMs)} ago`;
  return `  ${[alertId, reason, objectId].filter((word) => word !== "").join("  ")}  raised ${ageOf(ageMs)} ago${end}`;
}

/** An age in the largest whole unit. */
function ageOf(ms: number | undefined): string {
  if (ms === undefined) return "-";
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h`;
}
