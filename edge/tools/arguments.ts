import { type ParseArgsConfig, parseArgs } from "node:util";

/** The options of a command: each is followed by a value, but for switches. */
export type Options = Readonly<Record<string, { readonly type: "boolean" | "string" }>>;

/** Reads a command's words and options. Throws `usage` when they are not as it says. */
export function readArguments<const O extends Options>(
  words: readonly string[],
  { options, positionals, usage }: { options: O; positionals: readonly [min: number, max: number]; usage: string },
) {
  const config = { args: [...words], options, allowPositionals: true, strict: true } satisfies ParseArgsConfig;
  try {
    const read = parseArgs(config);
    const [min, max] = positionals;
    if (read.positionals.length >= min && read.positionals.length <= max) return read;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error(`${error.message}\n${usage}`, { cause: error });
  }
  throw new Error(usage);
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Reads a length of time such as "90s", "15m", "12h" or "30d", in seconds. */
export function readSeconds(word: string, option: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(word) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? Number.NaN);
  if (count !== "" && Number.isFinite(seconds)) return seconds;
  throw new Error(`${option} is a length of time such as 90s, 15m, 12h or 30d, not "${word}"`);
}
