import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createTestFolder } from "../../_runtime/testing/test-folder.ts";
import { type Journal, JournalDamagedError, openJournal, readJournal } from "./journal.ts";
import { LockedError } from "./lock.ts";

async function setup() {
  const file = join(await createTestFolder("tripe-journal-"), "bank", "journal");
  const open = async () => {
    const texts: string[] = [];
    const journal = await openJournal(file, (text) => texts.push(text));
    onTestFinished(() => journal.close().catch(() => undefined));
    return { journal, texts };
  };
  const write = async (journal: Journal, texts: readonly string[]) => {
    const appended = texts.map((text) => journal.append(text));
    await Promise.all(appended.map(({ durable }) => durable));
    return appended.map(({ offset }) => offset);
  };
  return { file, open, write };
}

const TEXTS = ["one", "two", "üß", '{"three":3}'];

test("what was appended is there again, in order, after the journal is opened again", async () => {
  const { open, write } = await setup();
  const first = await open();
  await write(first.journal, TEXTS);
  await first.journal.close();
  expect((await open()).texts).toEqual(TEXTS);
});

test("a text is read by its offset, before and after the journal is opened again", async () => {
  const { open, write } = await setup();
  const { journal } = await open();
  const offsets = await write(journal, TEXTS);
  expect(await Promise.all(offsets.map((offset) => journal.read(offset)))).toEqual(TEXTS);
  await journal.close();
  const again = await open();
  expect(await again.journal.read(offsets[2] ?? 0)).toBe("üß");
  await write(again.journal, ["four"]);
  expect(await again.journal.read(offsets[3] ?? 0)).toBe('{"three":3}');
});

test("a last line torn at any byte is cut off, and the next text goes in its place", async () => {
  const { file, open, write } = await setup();
  const { journal } = await open();
  const [, start = 0] = await write(journal, ["first", "last"]);
  await journal.close();
  const whole = await readFile(file);
  for (let length = start; length < whole.length; length++) {
    await writeFile(file, whole.subarray(0, length));
    const torn = await open();
    expect(torn.texts, `cut at ${length}`).toEqual(["first"]);
    await write(torn.journal, ["next"]);
    await torn.journal.close();
    const again = await open();
    expect(again.texts).toEqual(["first", "next"]);
    await again.journal.close();
  }
});

test("a last line with a line end but wrong bytes is cut off too", async () => {
  const { file, open, write } = await setup();
  const { journal } = await open();
  await write(journal, ["first"]);
  await journal.close();
  await appendFile(file, "00000000 never written whole\n\0\0\0\n");
  expect((await open()).texts).toEqual(["first"]);
});

test("damage in the middle is never cut off: the journal does not open", async () => {
  const { file, open, write } = await setup();
  const { journal } = await open();
  await write(journal, TEXTS);
  await journal.close();
  const bytes = await readFile(file);
  bytes.write("x", 10);
  await writeFile(file, bytes);
  await expect(open()).rejects.toThrow(JournalDamagedError);
  expect(await readFile(file)).toEqual(bytes);
});

test("a journal that is open does not open twice, and opens once it is closed", async () => {
  const { open } = await setup();
  const { journal } = await open();
  await expect(open()).rejects.toThrow(LockedError);
  await journal.close();
  await open();
});

test("texts appended together share one write: when the first is durable, all are", async () => {
  const { journal } = await (await setup()).open();
  const settled: number[] = [];
  const appended = Array.from({ length: 500 }, (_, index) => journal.append(`text ${index}`));
  for (const [index, { durable }] of appended.entries()) void durable.then(() => settled.push(index));
  await appended[0]?.durable;
  await Promise.resolve();
  expect(settled).toEqual(Array.from({ length: 500 }, (_, index) => index));
});

test("when the file cannot be written, the append rejects and so does every later one", async () => {
  const { journal } = await (await setup()).open();
  await journal.close();
  await expect(journal.append("a").durable).rejects.toThrow();
  await expect(journal.append("b").durable).rejects.toThrow();
});

test("readJournal reads while the journal is open, and leaves an unfinished line out", async () => {
  const { file, open, write } = await setup();
  const { journal } = await open();
  await write(journal, ["first", "second"]);
  await truncate(file, (await readFile(file)).length - 2);
  const texts: string[] = [];
  for await (const text of readJournal(file)) texts.push(text);
  expect(texts).toEqual(["first"]);
});
