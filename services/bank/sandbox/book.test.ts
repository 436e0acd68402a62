import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createTestClock } from "../../_runtime/clock.ts";
import { createTestFolder } from "../../_runtime/testing/test-folder.ts";
import { collect } from "../testing/sandbox.ts";
import { isSameOperation, openBook } from "./book.ts";
import type { Operation } from "./entry.ts";
import { readStatement } from "./statement.ts";

const BUY: Operation = {
  kind: "purchase",
  bankRef: "buy_1",
  originalBankRef: "",
  amount: "000000002000",
  currencyNumber: "840",
  number: "4242424242424242",
  expiry: "3412",
};

async function setup() {
  const file = join(await createTestFolder("tripe-book-"), "journal");
  const clock = createTestClock();
  const open = async () => {
    const book = await openBook({ file, clock });
    onTestFinished(() => book.close());
    return book;
  };
  return { file, clock, open, book: await open() };
}

test("an operation is on disk when it is answered", async () => {
  const { file, book } = await setup();
  await book.submit(BUY);
  expect(await readFile(file, "utf8")).toContain('"bankRef":"buy_1"');
});

test("the file holds no card number", async () => {
  const { file, book } = await setup();
  await book.submit(BUY);
  const text = await readFile(file, "utf8");
  expect(text).toContain("424242******4242");
  expect(text).not.toContain(BUY.number);
});

test("after a restart every answer, limit and reference is as it was", async () => {
  const { book, open } = await setup();
  const buy = await book.submit(BUY);
  const refund = { ...BUY, kind: "refund", originalBankRef: "buy_1", amount: "000000001500" } as const;
  const back = await book.submit({ ...refund, bankRef: "back_1" });
  const declined = await book.submit({ ...BUY, bankRef: "buy_2", number: "4000000000000002" });
  await book.close();
  const again = await open();
  expect(await again.submit(BUY)).toEqual(buy);
  expect(await again.find("back_1")).toEqual(back);
  expect(await again.find("buy_2")).toEqual(declined);
  expect((await again.submit({ ...refund, bankRef: "back_2" })).responseCode).toBe("13");
  expect(await again.find("buy_3")).toBe(undefined);
});

test("a torn last line was never answered: after the restart it is as if it had not been", async () => {
  const { file, book, open } = await setup();
  await book.submit(BUY);
  await book.close();
  await appendFile(file, '0a1b2c3d {"time":"2026-01-01T00:00:00.000Z","kind":"purch');
  const again = await open();
  const next = await again.submit({ ...BUY, bankRef: "buy_2" });
  expect((await collect(readStatement(file))).map(({ bankRef }) => bankRef)).toEqual(["buy_1", "buy_2"]);
  expect(await again.find("buy_2")).toEqual(next);
});

test("one reference raced a hundred ways is one entry", async () => {
  const { file, book } = await setup();
  const entries = await Promise.all(Array.from({ length: 100 }, () => book.submit(BUY)));
  expect(new Set(entries.map((entry) => JSON.stringify(entry))).size).toBe(1);
  expect((await collect(readStatement(file))).length).toBe(1);
});

test("a card is good through its month and is then declined 54; a hold and a purchase of before can still be ended", async () => {
  const { book, clock } = await setup();
  const card = { ...BUY, expiry: "2601" };
  const codeOf = async (change: Partial<Operation>) => (await book.submit({ ...card, ...change })).responseCode;
  clock.setNowMs(Date.UTC(2026, 1) - 1);
  expect(await codeOf({})).toBe("00");
  expect(await codeOf({ kind: "authorize", bankRef: "hold_1" })).toBe("00");
  clock.setNowMs(Date.UTC(2026, 1));
  expect(await codeOf({})).toBe("00");
  expect(await codeOf({ bankRef: "buy_2" })).toBe("54");
  expect(await codeOf({ kind: "authorize", bankRef: "hold_2" })).toBe("54");
  expect(await codeOf({ bankRef: "poor", number: "4000000000009995" })).toBe("51");
  expect(await codeOf({ kind: "capture", bankRef: "take_1", originalBankRef: "hold_1" })).toBe("00");
  expect(await codeOf({ kind: "refund", bankRef: "back_1", originalBankRef: "buy_1" })).toBe("00");
});

test("isSameOperation tells any other content apart", async () => {
  const { book } = await setup();
  const entry = await book.submit(BUY);
  expect(isSameOperation(entry, BUY)).toBe(true);
  const others: Partial<Operation>[] = [
    { kind: "authorize" },
    { amount: "000000002001" },
    { currencyNumber: "978" },
    { number: "5555555555554444" },
    { expiry: "3411" },
    { originalBankRef: "x" },
  ];
  for (const other of others) expect(isSameOperation(entry, { ...BUY, ...other }), JSON.stringify(other)).toBe(false);
});

test("the statement has one line per effect on money, in Tripe's units, and nothing else", async () => {
  const { file, clock, book } = await setup();
  const about = (bankRef: string, originalBankRef: string) => ({ ...BUY, bankRef, originalBankRef });
  await book.submit(BUY);
  clock.advance(1_500);
  await book.submit({ ...BUY, bankRef: "buy_2", amount: "000000000015", currencyNumber: "352" });
  await book.submit({ ...BUY, bankRef: "poor", number: "4000000000009995" });
  await book.submit({ ...BUY, kind: "authorize", bankRef: "hold_1" });
  await book.submit({ ...BUY, kind: "authorize", bankRef: "hold_2" });
  await book.submit({ ...about("take_1", "hold_1"), kind: "capture", amount: "000000000500" });
  await book.submit({ ...about("undo_1", "hold_2"), kind: "reverse" });
  await book.submit({ ...about("back_1", "buy_1"), kind: "refund", amount: "000000000700" });
  await book.submit({ ...about("undo_2", "buy_2"), kind: "reverse", amount: "000000000015", currencyNumber: "352" });
  const lines = await collect(readStatement(file));
  expect(
    lines.map(({ bankRef, kind, amountMinor, currencyCode }) => [bankRef, kind, amountMinor, currencyCode]),
  ).toEqual([
    ["buy_1", "purchase", 2_000n, "USD"],
    ["buy_2", "purchase", 1_500n, "ISK"],
    ["take_1", "capture", 500n, "USD"],
    ["back_1", "refund", 700n, "USD"],
    ["undo_2", "reversal", 1_500n, "ISK"],
  ]);
  expect(lines[1]).toMatchObject({ time: "2026-01-01T00:00:01.500Z", card: "424242******4242", originalBankRef: "" });
});

const LATER = { ...BUY, kind: "refund", originalBankRef: "buy_1", bankRef: "back_1", amount: "000000001500" } as const;

async function setupLater(number: string) {
  const { book, ...bench } = await setup();
  await book.submit({ ...BUY, number });
  const refund = { ...LATER, number };
  expect(await book.submit(refund)).toMatchObject({ responseCode: "09", authorizationCode: "" });
  const lines = async () => (await collect(readStatement(bench.file))).map(({ bankRef, time }) => [bankRef, time]);
  return { ...bench, book, refund, lines };
}

test("a refund on …7726 is in progress, over a restart too, and is done once it is asked about three seconds later", async () => {
  const { book, clock, open, refund, lines } = await setupLater("4000000000007726");
  clock.advance(2_999);
  expect((await book.find("back_1"))?.responseCode).toBe("09");
  await book.close();
  const again = await open();
  expect((await again.submit(refund)).responseCode).toBe("09");
  expect((await lines()).length).toBe(1);
  clock.advance(1);
  const ends = await Promise.all([again.find("back_1"), again.submit(refund), again.find("back_1")]);
  expect(new Set(ends.map((entry) => JSON.stringify(entry))).size).toBe(1);
  expect(ends[0]).toMatchObject({ responseCode: "00", authorizationCode: expect.stringMatching(/^[0-9]{6}$/) });
  expect(await lines()).toEqual([
    ["buy_1", "2026-01-01T00:00:00.000Z"],
    ["back_1", "2026-01-01T00:00:03.000Z"],
  ]);
  await again.close();
  const last = await open();
  expect(await last.submit(refund)).toEqual(ends[0]);
  expect((await last.submit({ ...refund, bankRef: "back_2" })).responseCode).toBe("13");
});

test("a refund on …5126 fails later: it has no effect, and what it held can be returned after all", async () => {
  const { book, clock, open, refund, lines } = await setupLater("4000000000005126");
  expect((await book.submit({ ...refund, bankRef: "back_2" })).responseCode).toBe("13");
  clock.advance(3_000);
  expect((await book.find("back_1"))?.responseCode).toBe("54");
  expect((await lines()).length).toBe(1);
  await book.close();
  const again = await open();
  expect((await again.find("back_1"))?.responseCode).toBe("54");
  expect((await again.submit({ ...refund, bankRef: "back_3" })).responseCode).toBe("09");
});
