import { expect, test, vi } from "vitest";
import { printInvoice } from "./print-invoice.ts";
import { layable, STAND_IN, wordsFromLeft } from "./scripts.ts";
import { createInvoice, type InvoiceChange, seller } from "./testing/invoice.ts";
import { readPages, readPlaces } from "./testing/read-pdf.ts";

// Printing and reading back take a second on an idle machine; a busy one is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

const print = async (change: InvoiceChange) => (await printInvoice(createInvoice(change), seller)).pdf;
/** An invoice of one line for each description; printed once for many, since printing and reading back take their time. */
const described = (...descriptions: readonly string[]): InvoiceChange => ({
  lines: descriptions.map((description) => ({ description, quantity: 3n, unitAmountMinor: 100n, amountMinor: 300n })),
  subtotalMinor: 300n * BigInt(descriptions.length),
  totalMinor: 300n * BigInt(descriptions.length) + 140n,
});

const withoutGlyphs = {
  Japanese: "カスタマーサポート年間契約プレミアムプランおよび追加オプション一式",
  Chinese: "企业版年度订阅服务费（含技术支持与培训）二零二六年一月至十二月",
  Korean: "프리미엄 연간 구독 서비스 및 기술 지원 패키지 기본 요금제 포함",
  Thai: "ค่าบริการสมาชิกรายปีสำหรับแพ็กเกจพรีเมียมพร้อมการสนับสนุนทางเทคนิค",
  Devanagari: "प्रीमियम वार्षिक सदस्यता सेवा शुल्क और तकनीकी सहायता पैकेज",
  Emoji: "🎂🎁🎉🎂🎁🎉🎂🎁🎉🎂🎁🎉🎂🎁🎉🎂🎁🎉🎂🎁🎉",
  Ideographs: "𠀋𡈽𡌛𡑮𡢽𠮟𡚴𡸴𣇄𣗄𣜿𣝣𣳾𤟱𥒎𥔎𥝱𥧄𥶡𠀋𡈽𡌛𡑮",
};

test("text without glyphs stays in its column, with a stand-in for each letter, in every script", async () => {
  const places = await readPlaces(await print(described(...Object.values(withoutGlyphs))));
  const rows = places.filter(({ text }) => text.includes(STAND_IN));
  expect(rows.length).toBeGreaterThan(Object.keys(withoutGlyphs).length);
  // The description's column is 185 points wide, and what is measured is what is drawn.
  for (const { left, right } of rows) expect([left, right <= 50 + 185.5]).toEqual([50, true]);
  for (const { left } of places.filter(({ text }) => text === "3")) expect(left).toBeGreaterThan(235);
  const standInsCount = rows.reduce((count, { text }) => count + text.split(STAND_IN).length - 1, 0);
  const letters = Object.values(withoutGlyphs).join("").replaceAll(" ", "");
  expect(standInsCount).toBe([...letters].length);
});

test("what has glyphs stays beside what has none", async () => {
  const [text] = await readPages(await print(described("Kuchen 🎂 für 株式会社 Ωmega ₿ 5 €")));
  expect(text).toMatch(/Kuchen □ für □□□□ Ωmega [₿□] 5 €/);
});

const fromRight = [
  "שירות חודשי מצוין",
  "רחוב הרצל 12 תל אביב",
  "מנוי 2026 עד 31/12",
  'חברה בע"מ, תל-אביב.',
  "خدمة شهرية ممتازة",
  "شارع الملك فهد 12، الرياض",
  "מנוי – שנתי 2026",
];

// Mozilla's reader turns what stands from right to left on the paper into the order of the letters as they are spoken.
test("words from right to left stand in their order, with the spaces between them", async () => {
  const [text = ""] = await readPages(await print(described(...fromRight)));
  expect(text.split("\n").filter((row) => fromRight.includes(row))).toEqual(fromRight);
});

test("a seller's name from right to left stands in its order, at the head and at the foot", async () => {
  const name = "חברת הדוגמה";
  const { pdf } = await printInvoice(createInvoice(), { ...seller, name });
  expect((await readPages(pdf))[0]?.match(/חברת הדוגמה/g)).toHaveLength(2);
});

const amongOthers = [
  "Acme שירות חודשי",
  "שירות Premium חודשי",
  "חשבון (סופי) לתשלום",
  "מחיר 12% הנחה",
  "שָׁלוֹם עולם",
  "שלום @ עולם",
  "ܫܠܡܐ ܥܠܡܐ",
  "الفاتورة #12",
];

test("letters from right to left among others have stand-ins, and are not turned in silence", async () => {
  const [text = ""] = await readPages(await print(described(...amongOthers)));
  expect(text).not.toMatch(/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]/u);
  expect(text.split("\n").filter((row) => row.includes(STAND_IN))).toHaveLength(amongOthers.length);
  for (const word of ["Acme □", "□ Premium □", "(□", "12%", "@", "#12"]) expect(text).toContain(word);
});

const all = () => true;

test("a line from right to left is words from the right, numbers as they are, punctuation at their left", () => {
  const line = layable("רחוב הרצל 12, תל אביב", all);
  expect(wordsFromLeft(line)).toEqual(["אביב", "תל", ",12", "הרצל", "רחוב"]);
  expect(layable(line, all)).toBe(line);
  expect(wordsFromLeft(layable("12 Main Street", all))).toBeUndefined();
  expect(layable("שלום World", all)).toBe("□□□□ World");
  expect(layable("שלום\u05b0", () => true)).toBe("□□□□□");
});

test("a long paragraph from right to left is wrapped, its first words in the first row", async () => {
  const words = Array.from({ length: 30 }, (_, index) => `מילה ${index + 10}`).join(" ");
  const [text = ""] = await readPages(await print(described(words)));
  const rows = text.split("\n").filter((row) => row.includes("מילה"));
  expect([rows.length > 3, rows.join(" ")]).toEqual([true, words]);
});

test.each([5, 8, 12])("the table's header moves to the next sheet with a first line of %i rows", async (rowsCount) => {
  const line = { description: "row ".repeat(rowsCount * 9).trim(), quantity: 1n, amountMinor: 7_500n };
  for (let noteLines = 24; noteLines <= 33; noteLines += 3) {
    const description = Array.from({ length: noteLines }, (_, index) => `Note ${index}`).join("\n");
    const pages = await readPages(await print({ description, lines: [line] }));
    for (const text of pages) {
      if (text.includes("Description\nQty")) expect(text).toMatch(/Description\nQty\nUnit price\nAmount\n(.*\n)*row/);
    }
  }
});

test.each([
  ["US", ["San Francisco, CA 94103"], { city: "San Francisco", state: "CA", postalCode: "94103" }],
  ["US", ["San Francisco"], { city: "San Francisco" }],
  ["CA", ["Toronto ON M5V 2T6"], { city: "Toronto", state: "ON", postalCode: "M5V 2T6" }],
  ["AU", ["Sydney NSW 2000"], { city: "Sydney", state: "NSW", postalCode: "2000" }],
  ["GB", ["London", "SW1A 1AA"], { city: "London", postalCode: "SW1A 1AA" }],
  ["DE", ["10117 Berlin"], { city: "Berlin", postalCode: "10117" }],
  ["IT", ["00184 Roma, RM"], { city: "Roma", state: "RM", postalCode: "00184" }],
])("an address is written as its country's post wants it: %s %j", async (countryCode, lines, place) => {
  const customerDetails = { name: "Ann", address: { line1: "1 Street", countryCode, ...place } };
  const [text = ""] = await readPages(await print({ customerDetails }));
  expect(text).toContain(["Ann", "1 Street", ...lines].join("\n"));
});
