import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { findNumbersInLine, maskCardNumber } from "../card-number.ts";
import { createTally, type Offending } from "../check.ts";

/** Postgres' own files are looked at through Postgres; the cache is our own program, whose test cards are no secret. */
const NOT_SCANNED = ["postgres", "cache"];

/** A line longer than this is looked at in parts: no log line or mail has it, but a binary file may. */
const LINE_CHARS_MAX = 1 << 20;

/** Part of the next piece of a long line too, so that no number is cut in two. */
const OVERLAP_CHARS = 64;

/**
 * Scans the logs, mails and every other file of a data folder for card numbers, as a stream. Mails are joined where
 * quoted-printable breaks a line. What is compressed, such as a PDF's text, is not looked into.
 */
export async function findCardFiles(dataDir: string): Promise<Offending> {
  const tally = createTally();
  for (const path of await listFiles(dataDir)) {
    for await (const { text, line } of readLines(path)) {
      for (const number of findNumbersInLine(text)) {
        tally.add({ file: relative(dataDir, path), line, number: maskCardNumber(number) });
      }
    }
  }
  return tally.total();
}

async function listFiles(dataDir: string): Promise<string[]> {
  const entries = await readdir(dataDir, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !NOT_SCANNED.includes(relative(dataDir, path).split(/[\\/]/)[0] ?? ""));
}

async function* readLines(path: string): AsyncGenerator<{ text: string; line: number }> {
  let line = 1;
  let rest = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: LINE_CHARS_MAX })) {
      const lines = joinSoftBreaks(rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) yield { text, line: line++ };
      if (rest.length > LINE_CHARS_MAX) {
        yield { text: rest, line };
        rest = rest.slice(-OVERLAP_CHARS);
      }
    }
  } catch (error) {
    // A file may go while we look: a mail's draft, a turned log.
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  yield { text: rest, line };
}

function joinSoftBreaks(text: string): string {
  return text.replaceAll(/=\r?\n/g, "");
}
