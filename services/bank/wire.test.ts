import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { declineView, refundFailureReasonOf } from "../_views/decline.ts";
import { decode, encode, type Message } from "./iso8583/codec.ts";
import { INQUIRY_TYPE, NETWORK_TYPE, OPERATIONS, repeatOf, responseTypeOf } from "./iso8583/dialect.ts";
import { FIELD_NUMBERS, FIELDS, isFieldNumber } from "./iso8583/fields.ts";
import { meaningOf } from "./reasons.ts";
import { createWireExamples, hexOf, type WireExample } from "./testing/wire-examples.ts";

const page = readFileSync(new URL("WIRE.md", import.meta.url), "utf8");
const examples = await createWireExamples();

/** The rows of the table with this head, cell by cell, and the cells of its head. */
function table(head: string): { columns: string[]; rows: string[][] } {
  const at = page.indexOf(`| ${head}`);
  expect(at, head).toBeGreaterThan(0);
  const cells = (line: string) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [first = "", , ...lines] = page.slice(at).split("\n\n")[0]?.split("\n") ?? [];
  return { columns: cells(first), rows: lines.map(cells) };
}

function formOf(number: number): string {
  if (!isFieldNumber(number)) throw new Error(`no element ${number}`);
  const { form, alphabet, lengthMax } = FIELDS[number];
  return `${form} ${alphabet} ${lengthMax}`;
}

/** Under which column of the tables an example stands. */
function columnOf({ name, request }: WireExample): string {
  if (request.type === INQUIRY_TYPE) return "inquiry";
  if (request.type === NETWORK_TYPE) return "network";
  return name.replace(/^(second|declined) /, "");
}

/** What the tables say must be there and is not, or is there and may not be. */
function wrongs(columns: string[], rows: string[][], column: string, { fields }: Message): string[] {
  const at = columns.indexOf(column);
  expect(at, column).toBeGreaterThan(0);
  const marks = new Map(rows.map((row) => [Number(row[0]), row[at] ?? ""]));
  const missing = [...marks].filter(([number, mark]) => mark === "M" && Reflect.get(fields, number) === undefined);
  const foreign = Object.keys(fields).filter((number) => (marks.get(Number(number)) ?? "") === "");
  return [...missing.map(([number]) => `${number} is missing`), ...foreign.map((number) => `${number} is not listed`)];
}

test("the page's examples are what Tripe writes and the sandbox bank answers, byte by byte", () => {
  const shown = [...page.matchAll(/\*\*([a-z ]+)\*\*\n\n```\n> ([0-9a-f]+)\n< ([0-9a-f]+)\n```/g)];
  const wanted = examples.map(({ name, request, answer }) => [name, hexOf(request), hexOf(answer)]);
  expect(shown.map(([, ...parts]) => parts)).toEqual(wanted);
});

test("every request has the elements that the page says, in the forms that it says", () => {
  const { columns, rows } = table("element | form | verify");
  for (const [number, form] of rows) expect(form, number).toBe(formOf(Number(number)));
  for (const example of examples) {
    expect(wrongs(columns, rows, columnOf(example), example.request), example.name).toEqual([]);
  }
});

test("every answer has the elements that the page says, and no other that it does not call repeated", () => {
  const { columns, rows } = table("element | money");
  for (const example of examples) {
    const column = columnOf(example);
    const { 12: time, 13: date, ...fields } = example.answer.fields;
    const answer = { ...example.answer, fields };
    const found = wrongs(columns, rows, columns.includes(column) ? column : "money", answer);
    // Of a reference that the bank has never heard of there is nothing to say.
    expect(found, example.name).toEqual(fields[39] === "25" ? ["48 is missing"] : []);
  }
});

test("the page's table of messages is the dialect's, and the codec takes each type, its repeat and its answer", () => {
  const { rows } = table("message | type");
  const spoken = { hold: OPERATIONS.authorize, verify: OPERATIONS.authorize, ...OPERATIONS };
  expect(rows.length).toBe(8);
  for (const [name = "", type = "", processingCode, answerType] of rows) {
    const known = Object.entries(spoken).find(([kind]) => name.startsWith(`${kind}:`))?.[1];
    const network = { type: name.startsWith("inquiry") ? INQUIRY_TYPE : NETWORK_TYPE, processingCode: "" };
    expect({ type, processingCode }, name).toEqual(known ?? network);
    expect(responseTypeOf(type)).toBe(answerType);
    for (const one of [type, repeatOf(type), responseTypeOf(type) ?? ""]) {
      expect(decode(encode({ type: one, fields: { 11: "000001" } })).type).toBe(one);
    }
  }
});

test("the page's response codes are those of reasons.ts, all of them", () => {
  const [accepted = [], unknown = [], ...declined] = table("39 | outcome").rows;
  for (const code of accepted[0]?.split(" ") ?? []) expect(meaningOf(code), code).toEqual({ outcome: "accepted" });
  expect(unknown[0]).toMatch(/^09 10 68 87 94 and all/);
  for (const code of ["09", "10", "68", "87", "94"]) expect(meaningOf(code), code).toEqual({ outcome: "unknown" });
  const listed = new Map(declined.flatMap(([codes = "", reason]) => codes.split(" ").map((code) => [code, reason])));
  const characters = [..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const all = characters.flatMap((first) => characters.map((second) => first + second));
  for (const code of all) {
    const meaning = meaningOf(code);
    expect(meaning.outcome === "declined" ? meaning.reason : undefined, code).toBe(listed.get(code));
  }
});

test("what the page says of refusals is what a merchant is answered", () => {
  const { rows } = table("refused because | 39");
  expect(rows.map(([, code]) => code)).toEqual(["13", "12", "12", "25", "30", "94", "68"]);
  for (const [why, code = "", captured, returned] of rows) {
    const meanings = (["capture", "refund", "reverse"] as const).map((kind) => meaningOf(code, kind));
    const [meaning] = meanings;
    expect(new Set(meanings.map((one) => JSON.stringify(one))).size, why).toBe(1);
    if (meaning?.outcome !== "declined") {
      expect([meaning?.outcome, captured, returned]).toEqual([
        "unknown",
        "as it was; Tripe asks",
        "`pending`; Tripe asks",
      ]);
      continue;
    }
    const view = declineView({ reason: meaning.reason, responseCode: code });
    const words = [view.code, view.decline_code].filter((word) => word !== null).map((word) => `\`${word}\``);
    expect(captured, why).toBe(`402 ${words.join(", ")}`);
    expect(returned, why).toBe(`\`failed\`, \`${refundFailureReasonOf(meaning.reason)}\``);
  }
});

test("the page's forms are the codec's, of all 127 elements", () => {
  const listed = table("element | form |\n").rows.flatMap(([span = "", form = ""]) => {
    const [first = 0, last = first] = span.split("–").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => [first + index, form]);
  });
  expect(listed).toEqual(FIELD_NUMBERS.map((number) => [number, formOf(number)]));
});
