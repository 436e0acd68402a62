/** A message of the plain bank: one line of JSON, an object of texts. */
export type Line = Readonly<Record<string, string>>;

/** Writes a message. */
export function writeLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

/** Reads a message; undefined when it is none. */
export function readLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLine(value: unknown): value is Line {
  return typeof value === "object" && value !== null && Object.values(value).every((part) => typeof part === "string");
}

/** Makes a function that cuts a stream into lines, as far as they have ended. */
export function createLineReader(): (chunk: Buffer) => string[] {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk.toString("utf8")).split("\n");
    rest = parts.pop() ?? "";
    return parts;
  };
}
