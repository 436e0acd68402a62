/** What `npm run jobs` shows. Ages are in milliseconds, undefined where nothing is late. */
export interface JobsPicture {
  readonly work: readonly {
    readonly name: string;
    readonly dueCount: bigint;
    readonly deadCount: bigint;
    readonly lateMs: number | undefined;
  }[];
  readonly dead: readonly DeadLine[];
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

/** Work that has come to nothing. */
export interface DeadLine {
  readonly name: string;
  /** The event, or the key of the mail. */
  readonly objectId: string;
  /** Empty of a mail. */
  readonly webhookEndpointId: string;
  readonly problem: string;
  readonly ageMs: number;
}

/** Draws postponed work as a table for a terminal, then what has come to nothing, and alerts, a line each. */
export function drawJobs({ work, dead, alerts }: JobsPicture): string {
  const rows = work.map((one) => [one.name, one.dueCount, one.deadCount, ageOf(one.lateMs)]);
  const table = [["work", "due", "dead", "late by"], ...rows].map(([name, ...cells]) =>
    [String(name).padEnd(14), ...cells.map((cell) => String(cell).padStart(9))].join(""),
  );
  const deadCount = work.reduce((sum, one) => sum + one.deadCount, 0n);
  const redrive = deadCount === 0n ? "none" : `${deadCount}: npm run jobs -- redrive webhook, or mail`;
  const openCount = alerts.filter(({ resolvedAgeMs }) => resolvedAgeMs === undefined).length;
  const open = openCount === 0 ? "none open" : `${openCount} open: npm run jobs -- resolve <alert>`;
  return `${[...table, `dead: ${redrive}`, ...dead.map(deadLine), `alerts: ${open}`, ...alerts.map(alertLine)].join("\n")}\n`;
}

function deadLine({ name, objectId, webhookEndpointId, problem, ageMs }: DeadLine): string {
  const words = [name, objectId, webhookEndpointId, problem].filter((word) => word !== "");
  return `  ${words.join("  ")}  made ${ageOf(ageMs)} ago`;
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
