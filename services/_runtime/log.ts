import { join } from "node:path";
import { pino } from "pino";
import { redactCardNumbers } from "./card-number.ts";
import { systemClock } from "./clock.ts";
import { type LogFile, openLogFile } from "./log-file.ts";

/** Extra facts of a log line: plain values and Secrets, never card data. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One finished call, as `npm run trace` reads it. */
export interface RpcLine {
  readonly request_id: string;
  readonly trace_id: string;
  readonly span_id: string;
  /** The span that made this call; empty at the root. */
  readonly parent_id: string;
  readonly caller: string;
  readonly service: string;
  readonly rpc: string;
  /** Milliseconds since 1970, to hundredths. */
  readonly start_ms: number;
  readonly ms: number;
  /** "ok", or a gRPC code in snake_case. */
  readonly code: string;
  /** The reason of a refusal. */
  readonly reason?: string;
  /** Present on a line written by the caller: it alone saw this end, such as a dead connection. */
  readonly side?: "client";
}

/** One answered public request. */
export interface AccessLine {
  readonly request_id: string;
  readonly status: number;
  /** How long it took, to hundredths. */
  readonly ms: number;
  /** When its answer was sent, in milliseconds since 1970. */
  readonly end_ms: number;
}

/** Where a process says what it does: JSON lines, a message and its facts. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** Something is broken; `cause` is what was caught, printed with its stack and its own causes. */
  error(message: string, cause: unknown, fields?: LogFields): void;
  /** A call that has ended. */
  rpc(line: RpcLine): void;
  /** A public request that was answered; the message names its method and route. */
  access(message: string, line: AccessLine): void;
  /** Resolves once everything said so far is on disk. */
  flush(): Promise<void>;
}

/** What a process's log takes; it is moved aside at `logMaxBytes` (log-rotation.ts). */
export interface LogOptions {
  readonly name: string;
  readonly dataDir?: string;
  readonly logMaxBytes?: number;
}

/** Opens a process's log, `<dataDir>/logs/<name>.log`; without a data dir it says nothing (tests). */
export function createLog({ name, dataDir, logMaxBytes }: LogOptions): Log {
  if (dataDir === undefined) return silentLog;
  return createLogTo(name, openLogFile(join(dataDir, "logs", `${name}.log`), logMaxBytes));
}

/** A log that says nothing. */
export const silentLog: Log = {
  info: () => {},
  warn: () => {},
  error: () => {},
  rpc: () => {},
  access: () => {},
  flush: () => Promise.resolve(),
};

function createLogTo(name: string, file: LogFile): Log {
  const time = createTimeText();
  const base = `"name":"${name}","pid":${process.pid}`;
  const logger = pino(
    {
      base: { name, pid: process.pid },
      timestamp: () => `,"time":"${time()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
    },
    file,
  );
  return {
    info: (message, fields) => logger.info({ ...fields }, message),
    warn: (message, fields) => logger.warn({ ...fields }, message),
    error: (message, cause, fields) => logger.error({ ...fields, error: describeError(cause) }, message),
    // Written past pino, whose generality is not needed for the one line that every call or request writes.
    rpc: (line) => file.write(`{"level":"info","time":"${time()}","name":"${name}",${formatRpc(line)}}\n`),
    access: (message, { request_id, status, ms, end_ms }) =>
      file.write(
        `{"level":"info","time":"${time()}",${base},"request_id":"${request_id}","status":${status},"ms":${ms},"end_ms":${end_ms},"message":${JSON.stringify(message)}}\n`,
      ),
    flush: file.flush,
  };
}

/** Writes the facts of a call as JSON, without the braces. What can come from another process is quoted as JSON wants it. */
export function formatRpc(line: RpcLine): string {
  const { request_id, trace_id, span_id, parent_id, caller, service, rpc, start_ms, ms, code, reason, side } = line;
  const ids = `"request_id":${quote(request_id)},"trace_id":${quote(trace_id)},"span_id":${quote(span_id)},"parent_id":${quote(parent_id)}`;
  const why = reason === undefined ? "" : `,"reason":${quote(reason)}`;
  const from = side === undefined ? "" : `,"side":"${side}"`;
  return `${ids},"caller":"${caller}","service":"${service}","rpc":"${rpc}","start_ms":${start_ms},"ms":${ms},"code":"${code}"${why}${from}`;
}

// Ids and reasons are made of these alone, and then a test is four times as fast as JSON.stringify.
const PLAIN = /^[\w.-]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

// A date takes as long to write as the rest of a line; in one millisecond it is written once.
function createTimeText(): () => string {
  let lastMs = 0;
  let text = "";
  return () => {
    const nowMs = systemClock.nowMs();
    if (nowMs !== lastMs) text = new Date(nowMs).toISOString();
    lastMs = nowMs;
    return text;
  };
}

/** Writes down what was caught, with its stack and up to five causes; card numbers are blotted out. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  // Five: deeper chains have only ever repeated themselves.
  for (let rest = error; rest !== undefined && rest !== null && parts.length < 5; ) {
    parts.push(rest instanceof Error ? (rest.stack ?? rest.message) : String(rest));
    rest = rest instanceof Error ? rest.cause : undefined;
  }
  // No card number should ever get here; if one does, it ends here.
  return redactCardNumbers(parts.join("\ncaused by "));
}
