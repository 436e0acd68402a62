import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
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
