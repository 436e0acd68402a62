import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { lockFile } from "./lock.ts";

/** A file of lines that only grows. Each line is the CRC-32 of its text in eight hexadecimal digits, a space, and the text. */
export interface Journal {
  /**
   * Puts a text (without line ends) behind the others. `offset`, its place in the file, is known at once; `durable` resolves when the text
   * is on disk. All texts that wait share one write and one fsync. When either fails, `durable` rejects, and so does every later one:
   * what is on disk is not known any more, and the process must end.
   */
  append(text: string): Appended;
  /** Reads the text at an offset that `append` or `onText` gave. Only durable texts can be read. */
  read(offset: number): Promise<string>;
  /** Waits for what is on its way, and lets go of the file. */
  close(): Promise<void>;
}

/** A text that was put into a journal. */
export interface Appended {
  readonly offset: number;
  readonly durable: Promise<void>;
}

/** A line in the middle of a journal that is not what was written: nothing is cut off then, somebody has to look. */
export class JournalDamagedError extends Error {
  constructor(file: string, offset: number) {
    super(`${file} is damaged at byte ${offset}, with good lines after it`);
    this.name = "JournalDamagedError";
  }
}

/**
 * Opens a journal, made when it is not there, and gives every text in it to `onText`, in order. A last line that was torn by a
 * crash is cut off: it was never durable. Throws LockedError when another process has it open, JournalDamagedError when it is damaged.
 */
export async function openJournal(file: string, onText: (text: string, offset: number) => void): Promise<Journal> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const unlock = lockFile(`${file}.lock`);
  const handle = await open(file, "a+");
  try {
    const endOffset = await replay(handle, file, onText);
    await handle.truncate(endOffset);
    await handle.datasync();
    return createJournal(handle, endOffset, unlock);
  } catch (error) {
    await handle.close();
    unlock();
    throw error;
  }
}

/** Reads the texts of a journal without opening it for writing; safe while a bank writes it. An unfinished last line is left out. */
export async function* readJournal(file: string): AsyncGenerator<string> {
  const handle = await open(file, "r");
  try {
    for await (const { text } of readLines(handle)) if (text !== undefined) yield text;
  } finally {
    await handle.close();
  }
}

/** Longest line: an entry is about 300 bytes; a reference of 40 characters and all fields at their longest stay below 600. */
const LINE_BYTES_MAX = 1_024;
const CHUNK_BYTES = 1 << 20;
const NEW_LINE = 10;
const CHECKSUM_CHARS = 8;

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function createJournal(handle: FileHandle, startOffset: number, unlock: () => void): Journal {
  let endOffset = startOffset;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  const write = async () => {
    // One turn of the loop lets all requests of the same tick share the first write.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await writeBatch(handle, batch);
    }
    writing = undefined;
  };
  return {
    append(text) {
      const line = `${checksum(text)} ${text}\n`;
      const offset = endOffset;
      endOffset += Buffer.byteLength(line);
      const durable = new Promise<void>((resolve, reject) => waiting.push({ line, resolve, reject }));
      writing ??= write();
      return { offset, durable };
    },
    async read(offset) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(LINE_BYTES_MAX), 0, LINE_BYTES_MAX, offset);
      const end = buffer.subarray(0, bytesRead).indexOf(NEW_LINE);
      const text = end < 0 ? undefined : parseLine(buffer.subarray(0, end));
      if (text === undefined) throw new Error(`The journal has no line at byte ${offset}`);
      return text;
    },
    async close() {
      await writing;
      await handle.close();
      unlock();
    },
  };
}

async function writeBatch(handle: FileHandle, batch: readonly Waiting[]): Promise<void> {
  try {
    await handle.appendFile(batch.map(({ line }) => line).join(""));
    await handle.datasync();
    for (const { resolve } of batch) resolve();
  } catch (error) {
    for (const { reject } of batch) reject(error);
    // Closed, so that nothing is written behind bytes that may be missing: every later append fails too.
    await handle.close();
  }
}

async function replay(
  handle: FileHandle,
  file: string,
  onText: (text: string, offset: number) => void,
): Promise<number> {
  let endOffset = 0;
  let damage: number | undefined;
  for await (const { text, offset, nextOffset } of readLines(handle)) {
    if (text === undefined) {
      damage ??= offset;
      continue;
    }
    if (damage !== undefined) throw new JournalDamagedError(file, damage);
    onText(text, offset);
    endOffset = nextOffset;
  }
  return endOffset;
}

interface Line {
  /** Undefined when the checksum does not fit. */
  readonly text: string | undefined;
  readonly offset: number;
  readonly nextOffset: number;
}

/** Gives all lines that end; bytes behind the last line end are left out. */
async function* readLines(handle: FileHandle): AsyncGenerator<Line> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, offset + rest.length);
    if (bytesRead === 0) return;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let start = 0;
    for (let end = rest.indexOf(NEW_LINE); end >= 0; end = rest.indexOf(NEW_LINE, start)) {
      const text = parseLine(rest.subarray(start, end));
      yield { text, offset: offset + start, nextOffset: offset + end + 1 };
      start = end + 1;
    }
    offset += start;
    rest = rest.subarray(start);
  }
}

function parseLine(line: Buffer): string | undefined {
  const text = line.toString("utf8", CHECKSUM_CHARS + 1);
  const isWhole = line.toString("latin1", 0, CHECKSUM_CHARS + 1) === `${checksum(text)} `;
  return isWhole ? text : undefined;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_CHARS, "0");
}
