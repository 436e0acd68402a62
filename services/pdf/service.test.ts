import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { afterAll, expect, test, vi } from "vitest";
import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { PdfService } from "../../gen/tripe/pdf/v1/pdf_service_pb.ts";
import { createTestClock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { silentLog } from "../_runtime/log.ts";
import { createRenderer } from "./renderer.ts";
import { createPdf } from "./service.ts";
import { createInvoice, type InvoiceChange, seller } from "./testing/invoice.ts";
import { readPages, readPlaces, readProperties } from "./testing/read-pdf.ts";

// Printing and reading back take a second on an idle machine; a busy one is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

// One thread for the whole file: starting it is most of what a small invoice takes.
const renderer = createRenderer({ clock: createTestClock(), log: silentLog });
afterAll(() => renderer.close());

function setup() {
  const transport = createRouterTransport(({ service }) => service(PdfService, createPdf({ renderer })));
  const client = createClient(PdfService, transport);
  const render = (change?: InvoiceChange, lineCount?: number) =>
    client.renderInvoice({ accountId: "acct_1", seller, invoice: createInvoice(change, lineCount) });
  const read = async (change?: InvoiceChange, lineCount?: number) => readPages((await render(change, lineCount)).pdf);
  const refusal = async (change: InvoiceChange) =>
    render(change).then(
      () => undefined,
      (error: unknown) => refusalOf(error),
    );
  return { client, render, read, refusal };
}

test("an invoice says who sells, who buys, when, what and how much", async () => {
  const { render } = setup();
  const { pdf, pageCount } = await render();
  const [text = ""] = await readPages(pdf);
  const expected = [
    "Invoice number\nKAFFEE-0001",
    "Date of issue\nJanuary 15, 2026",
    "Date due\nFebruary 14, 2026",
    "Kaffeerösterei Łódź & Søn GmbH\nKönigstraße 12\n10117 Berlin\nGermany\nbilling@kaffee.example",
    "Bill to\nΕλένη Παπαδοπούλου\nΟδός Ερμού 5\nΑθήνα\nGreece",
    "$76.40 due February 14, 2026",
    "Your order of January.",
    "Espresso beans, lot 1\nEspresso beans, lot 2",
    "Subtotal\n$75.00\nDiscount\n-$0.50\nVAT 19%\n$1.90\nTotal\n$76.40\nAmount due\n$76.40",
    "Payable within 30 days.",
    "1 / 1",
  ];
  const joined = text.replaceAll(/\n3\n\$12\.50\n\$37\.50/g, "");
  expect(expected.filter((words) => !joined.includes(words))).toEqual([]);
  expect(pageCount).toBe(1);
});

test.each([
  ["USD", "$12.50", "$37.50", "$76.40"],
  ["EUR", "€12.50", "€37.50", "€76.40"],
  ["JPY", "¥1,250", "¥3,750", "¥7,640"],
  ["KWD", "KWD 1.250", "KWD 3.750", "KWD 7.640"],
])("amounts in %s have the digits of that currency", async (currencyCode, unitPrice, amount, total) => {
  const [text] = await setup().read({ currencyCode });
  expect(text).toContain(`3\n${unitPrice}\n${amount}`);
  expect(text).toContain(`Total\n${total}\nAmount due\n${total}`);
});

test("200 lines fill several pages, each with the header and its number, and none is lost", async () => {
  const { render } = setup();
  const { pdf, pageCount } = await render({}, 200);
  const pages = await readPages(pdf);
  expect(pages).toHaveLength(pageCount);
  expect(pageCount).toBeGreaterThan(3);
  for (const [index, text] of pages.entries()) expect(text).toContain(`\n${index + 1} / ${pageCount}`);
  for (const text of pages.slice(0, -1)) expect(text).toContain("Description\nQty\nUnit price\nAmount");
  const printed = Array.from(pages.join("\n").matchAll(/lot (\d+)/g), ([, lot]) => Number(lot));
  expect(printed).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

test("a description longer than a page is wrapped, broken inside long words, and printed in full", async () => {
  const words = Array.from({ length: 400 }, (_, index) => `word${index}`).join(" ");
  const description = `${words} ${"x".repeat(600)}`;
  const pages = await setup().read({
    lines: [{ description, quantity: 1n, amountMinor: 7_500n }],
    subtotalMinor: 7_500n,
  });
  const text = pages.join("\n");
  expect(pages.length).toBeGreaterThan(1);
  expect(Array.from(text.matchAll(/word(\d+)/g))).toHaveLength(400);
  expect(text.match(/x{20,}/g)?.join("")).toHaveLength(600);
  for (const row of text.split("\n")) expect(row.length).toBeLessThan(60);
});

test("names in every European script come back as they were given", async () => {
  const name = "Þórður Ærø, Żółć, Ştefan, Ђорђе, Їжак, Ωραία, Ծաղիկ, ბერი";
  const [text = ""] = await setup().read({ customerDetails: { name } });
  expect(text.replaceAll("\n", " ")).toContain(name);
});

test("control characters in a name do not reach the paper", async () => {
  const [text] = await setup().read({ customerDetails: { name: "Ann\u0000\u0007\u202e Smith\tJr" } });
  expect(text).toContain("Ann Smith Jr");
});

test("a paid invoice is marked and owes nothing", async () => {
  const [text] = await setup().read({ state: InvoiceState.PAID, paidMinor: 7_640n });
  expect(text).toContain("PAID");
  expect(text).toContain("$76.40 paid");
  expect(text).toContain("Amount paid\n-$76.40\nAmount due\n$0.00");
});

test("a void invoice says so on every page and owes nothing", async () => {
  const pages = await setup().read({ state: InvoiceState.VOID }, 60);
  for (const text of pages) expect(text).toContain("VOID");
  expect(pages[0]).toContain("nothing is owed");
  expect(pages.at(-1)).toContain("Amount due\n$0.00");
});

test("what the customer's balance covers is shown between total and amount due", async () => {
  const amountDue = { amountMinor: 7_000n, currencyCode: "USD" };
  const [text] = await setup().read({ amountDue });
  expect(text).toContain("Total\n$76.40\nApplied balance\n-$6.40\nAmount due\n$70.00");
});

test("the largest amounts stand beside each other without touching", async () => {
  const amountMinor = 9_007_199_254_740_991n;
  const line = { description: "All of it", quantity: 999_999_999n, unitAmountMinor: amountMinor, amountMinor };
  const [text] = await setup().read({
    currencyCode: "KWD",
    lines: [line],
    subtotalMinor: amountMinor,
    discountMinor: 0n,
    taxes: [],
    totalMinor: amountMinor,
  });
  expect(text).toContain("999,999,999\nKWD 9,007,199,254,740.991\nKWD 9,007,199,254,740.991");
});

test("whatever its length, nothing is printed beside the sheet or into its margins", async () => {
  const { client } = setup();
  const long = (letter: string, length: number) => letter.repeat(length);
  const invoice = createInvoice({
    number: long("W", 40),
    customerDetails: {
      name: long("W", 500),
      email: long("m", 512),
      phone: long("9", 100),
      address: { line1: long("M ", 250), line2: long("W", 500), city: long("W", 500), state: long("W", 500) },
    },
    description: long("Wide words ", 450),
    footer: long("M", 5_000),
    taxes: Array.from({ length: 50 }, () => ({ displayName: long("W", 100), amountMinor: 1n })),
    totalMinor: 7_500n,
    lines: [{ description: long("W", 5_000), quantity: 1n, amountMinor: 7_500n }],
  });
  const wide = { ...seller, name: long("W", 500), address: "a\n".repeat(1_000) };
  const { pdf } = await client.renderInvoice({ accountId: "acct_1", seller: wide, invoice });
  const places = await readPlaces(pdf);
  const outside = places.filter(
    ({ left, right, bottom }) => left < 49.9 || right > 545.4 || bottom < 30 || bottom > 800,
  );
  expect(outside).toEqual([]);
  expect(places.length).toBeGreaterThan(300);
});

test("the same invoice gives the same bytes, in another process and another time zone too", async () => {
  const { render } = setup();
  const [first, second] = [await render(), await render()];
  expect(Buffer.from(first.sha256)).toEqual(createHash("sha256").update(first.pdf).digest());
  expect(second.pdf).toEqual(first.pdf);
  const program = `
    import { printInvoice } from "${new URL("print-invoice.ts", import.meta.url)}";
    import { createInvoice, seller } from "${new URL("testing/invoice.ts", import.meta.url)}";
    const { pdf } = await printInvoice(createInvoice(), seller);
    process.stdout.write((await import("node:crypto")).createHash("sha256").update(pdf).digest("hex"));`;
  const options = { env: { TZ: "Asia/Tokyo", LANG: "de_DE.UTF-8" }, encoding: "utf8" } as const;
  const digest = execFileSync(process.execPath, ["--input-type=module", "-e", program], options);
  expect(digest).toBe(Buffer.from(first.sha256).toString("hex"));
});

test("a file says which invoice it is, whose, and of when: not when it was printed", async () => {
  const { pdf } = await setup().render();
  const expected = { Title: "Invoice KAFFEE-0001", Author: seller.name, CreationDate: "D:20260115233000Z" };
  expect(await readProperties(pdf)).toMatchObject(expected);
});

test("another invoice gives other bytes", async () => {
  const { render } = setup();
  expect((await render({ footer: "Payable within 31 days." })).sha256).not.toEqual((await render()).sha256);
});

test("a draft is refused", async () => {
  const { refusal } = setup();
  const expected = { code: Code.FailedPrecondition, reason: "INVOICE_NOT_FINALIZED" };
  expect(await refusal({ number: "", state: InvoiceState.DRAFT })).toMatchObject(expected);
});

test("an invoice whose amounts are wrong is refused", async () => {
  const { refusal } = setup();
  expect(await refusal({ currencyCode: "XXX" })).toMatchObject({ reason: "CURRENCY_UNKNOWN" });
  const amountDue = { amountMinor: 7_640n, currencyCode: "EUR" };
  expect(await refusal({ amountDue })).toMatchObject({ reason: "CURRENCY_MIXED" });
  expect(await refusal({ subtotalMinor: 7_501n })).toMatchObject({
    reason: "INVOICE_SUMS_WRONG",
    field: "invoice.subtotal_minor",
  });
  expect(await refusal({ totalMinor: 7_641n })).toMatchObject({
    reason: "INVOICE_SUMS_WRONG",
    field: "invoice.total_minor",
  });
});

test("an invoice that would not fit into a message is refused", async () => {
  const lines = Array.from({ length: 150 }, () => ({ description: "word ".repeat(900), amountMinor: 50n }));
  const refused = await setup().refusal({ lines });
  expect(refused).toMatchObject({ code: Code.FailedPrecondition, reason: "INVOICE_TOO_LARGE" });
});
