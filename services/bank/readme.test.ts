import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decode, encode } from "./iso8583/codec.ts";
import { INQUIRY_TYPE, NETWORK, NETWORK_TYPE, OPERATIONS, repeatOf, responseTypeOf } from "./iso8583/dialect.ts";
import { FIELD_NUMBERS, FIELDS, type Field } from "./iso8583/fields.ts";
import { FAULT_KINDS, parseFaults } from "./sandbox/faults.ts";
import { behaviourOf } from "./sandbox/test-cards.ts";

const page = readFileSync(new URL("README.md", import.meta.url), "utf8");

/** The rows of the table with this head, cell by cell. */
function rows(head: string): string[][] {
  const [, ...lines] =
    page
      .slice(page.indexOf(`| ${head} |`))
      .split("\n\n")[0]
      ?.split("\n") ?? [];
  return lines.slice(1).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test("the README's table of elements has the codec's forms", () => {
  const table = FIELD_NUMBERS.map((number) => {
    const { name, alphabet, form, lengthMax }: Field = FIELDS[number];
    return [String(number), `${form} ${alphabet} ${lengthMax}`, name];
  });
  const found = rows("element | form | holds");
  expect(found.length).toBe(22);
  for (const row of found) expect(table).toContainEqual(row);
});

test("the README's table of messages is the dialect's, and the codec takes each type, its repeat and its answer", () => {
  const found = rows("message | type | processing code");
  const spoken = Object.entries(OPERATIONS).map(([kind, { type, processingCode }]) => [kind, type, processingCode]);
  const network = `sign on ${NETWORK.signOn}, sign off ${NETWORK.signOff}, echo ${NETWORK.echo}`;
  const all = [...spoken, ["inquiry", INQUIRY_TYPE, ""], [network, NETWORK_TYPE, ""]];
  expect(found.map(([kind = "", ...rest]) => [kind.replace(/ \(.*\)/, ""), ...rest])).toEqual(all);
  for (const [, type = ""] of all) {
    for (const one of [type, repeatOf(type), responseTypeOf(type) ?? ""]) {
      expect(decode(encode({ type: one, fields: { 11: "000001" } })).type).toBe(one);
    }
  }
});

test("the README's table of faults is the bank's, and its example can be used as it stands", () => {
  expect(rows("fault | the bank").map(([kind]) => kind)).toEqual(FAULT_KINDS.map((kind) => `\`${kind}\``));
  const [, example = ""] = /TRIPE_BANK_FAULTS=([^ ]+) npm start/.exec(page) ?? [];
  expect(typeof parseFaults(example)).toBe("function");
});

test("every test card of the README is one the bank knows", () => {
  const numbers = rows("card | does")
    .slice(1)
    .flatMap(([cards = ""]) => {
      const [first = "", ...others] = cards.split(" · ").map((card) => card.replaceAll(" ", ""));
      return [first, ...others.map((card) => first.slice(0, 16 - card.length) + card)];
    });
  expect(numbers.length).toBe(13);
  const plain = JSON.stringify(behaviourOf("4242424242424242"));
  for (const number of numbers) expect(JSON.stringify(behaviourOf(number)), number).not.toBe(plain);
});
