import type { RpcLine } from "../../services/_runtime/log.ts";

/** Reads a line of a log; undefined unless it tells of a call of the request. */
export function readCall(line: string, requestId: string): RpcLine | undefined {
  // A request's id is in all its lines, so most lines need not be parsed.
  if (!line.includes(requestId)) return undefined;
  const parsed = parse(line);
  return isRpcLine(parsed) && parsed.request_id === requestId ? parsed : undefined;
}

/** Draws the calls of a request as a tree: when each started, how long it took, how it ended, where it went wrong. */
export function drawTree(calls: readonly RpcLine[]): string {
  const spans = [...Map.groupBy(calls, (call) => call.span_id).values()].map(mergeSides);
  const known = new Set(spans.map((span) => span.line.span_id));
  const roots = spans.filter((span) => !known.has(span.line.parent_id));
  const startMs = Math.min(...spans.map((span) => span.line.start_ms));
  const draw = (span: TraceSpan, depth: number): string[] => {
    const children = byStart(spans.filter((other) => other.line.parent_id === span.line.span_id));
    return [drawSpan(span, depth, { startMs, children }), ...children.flatMap((child) => draw(child, depth + 1))];
  };
  return byStart(roots)
    .flatMap((root) => draw(root, 0))
    .join("\n");
}

/** One call, as its service and, when it failed, its caller wrote it down. */
interface TraceSpan {
  readonly line: RpcLine;
  /** What the caller saw, when that is not what the service did: a call that was lost on its way. */
  readonly callerSaw: string | undefined;
}

function mergeSides(lines: readonly RpcLine[]): TraceSpan {
  const server = lines.find((line) => line.side === undefined);
  const client = lines.find((line) => line.side === "client");
  const [first] = lines;
  const line = server ?? client ?? first;
  if (line === undefined) throw new Error("a group of lines has at least one");
  const differs = client !== undefined && client.code !== server?.code;
  return { line, callerSaw: differs ? client.code : undefined };
}

function drawSpan(
  { line, callerSaw }: TraceSpan,
  depth: number,
  { startMs, children }: { startMs: number; children: readonly TraceSpan[] },
): string {
  const times = `${(line.start_ms - startMs).toFixed(2).padStart(10)} ${line.ms.toFixed(2).padStart(10)} ms`;
  const name = `${"  ".repeat(depth)}${line.caller} → ${line.service}.${line.rpc}`;
  const ending = line.reason === undefined ? line.code : `${line.code} ${line.reason}`;
  const lost =
    callerSaw === undefined
      ? ""
      : line.side === "client"
        ? "  (no word from the service)"
        : `  (its caller saw ${callerSaw})`;
  // A failure travels up; the call to look at is the deepest one that failed.
  const isSource = hasFailed({ line, callerSaw }) && !children.some(hasFailed);
  return `${times}  ${name}  ${ending}${lost}${isSource ? "  ◀ failed here" : ""}`;
}

function hasFailed({ line, callerSaw }: TraceSpan): boolean {
  return line.code !== "ok" || (callerSaw !== undefined && callerSaw !== "ok");
}

function byStart(spans: readonly TraceSpan[]): TraceSpan[] {
  return spans.toSorted((a, b) => a.line.start_ms - b.line.start_ms);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The last line of a process that was killed may be cut short.
    return undefined;
  }
}

function isRpcLine(value: unknown): value is RpcLine {
  return typeof value === "object" && value !== null && "rpc" in value && "span_id" in value && "start_ms" in value;
}
