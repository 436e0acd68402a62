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
  readonly alerts: readonly { readonly reason: string; readonly count: bigint }[];
}

/** Draws the queues as a table for a terminal, then deliveries and alerts, a line each. */
export function drawJobs({ queues, dueCount, deadCount, oldestAgeMs, alerts }: JobsPicture): string {
  const rows = queues.map((one) => [one.name, one.waitingCount, one.activeCount, ageOf(one.oldestAgeMs)]);
  const table = [["queue", "waiting", "active", "oldest"], ...rows].map(([name, ...cells]) =>
    [String(name).padEnd(14), ...cells.map((cell) => String(cell).padStart(9))].join(""),
  );
  const late = oldestAgeMs === undefined ? "none late" : `the latest by ${ageOf(oldestAgeMs)}`;
  const dead = deadCount === 0n ? "none dead" : `${deadCount} dead: npm run jobs -- redrive webhook`;
  const open = alerts.map(({ reason, count }) => `${reason} ${count}`).join(", ");
  return `${[...table, `deliveries: ${dueCount} due, ${late}; ${dead}`, `alerts: ${open === "" ? "none" : open}`].join("\n")}\n`;
}

/** An age in the largest whole unit. */
function ageOf(ms: number | undefined): string {
  if (ms === undefined) return "-";
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h`;
}
