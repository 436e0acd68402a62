import { type Log, type LogFields, silentLog } from "../../_runtime/log.ts";

/** A log that keeps its lines, and what was said with each. */
export function createLines() {
  const said: { message: string; fields: LogFields | undefined }[] = [];
  const keep = (message: string, fields?: LogFields) => void said.push({ message, fields });
  const log: Log = { ...silentLog, info: keep, warn: keep };
  return {
    log,
    /** The facts of all lines with this message. */
    lines: (message: string) => said.filter((line) => line.message === message).map(({ fields }) => fields),
    /** Everything, as one text. */
    text: () => JSON.stringify(said),
  };
}
