import type { Invoice, InvoiceLine } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { formatMoney } from "../_runtime/money.ts";
import { colour, column, type Look, leading, type Paper } from "./paper.ts";
import { count, period } from "./words.ts";

// Right edges of the numbers, and the width of the words. The widest amount, "-KWD 9,007,199,254,740.991", takes 121
// points, the widest unit price 117, and 999,999,999 units take 50: with these none touches its neighbour.
const QUANTITY_RIGHT = 290;
const UNIT_PRICE_RIGHT = 415;
const DESCRIPTION_WIDTH = 185;

const small: Look = { size: 8, colour: colour.soft };

/** The labels, the rule below them, and the room below that. */
const HEADER_HEIGHT = leading(small) + 11;

/** Prints the invoice's lines as a table that runs over as many sheets as it needs, its header on each. */
export function printLines(paper: Paper, { lines, currencyCode }: Invoice): void {
  const printHeader = () => printTableHeader(paper);
  // A header with not one line below it would be alone at the foot of a sheet, so it moves with its first line.
  const [first] = lines;
  paper.need(HEADER_HEIGHT + (first === undefined ? 0 : heightOf(rowsOf(paper, first))));
  printHeader();
  paper.heading = printHeader;
  for (const line of lines) printLine(paper, line, currencyCode);
  paper.heading = undefined;
}

function printTableHeader(paper: Paper): void {
  const { y } = paper;
  paper.write("Description", { x: column.left, y }, small);
  paper.write("Qty", { x: QUANTITY_RIGHT, y, align: "right" }, small);
  paper.write("Unit price", { x: UNIT_PRICE_RIGHT, y, align: "right" }, small);
  paper.write("Amount", { x: column.right, y, align: "right" }, small);
  paper.rule(y + leading(small) + 3);
  paper.y += HEADER_HEIGHT;
}

function printLine(paper: Paper, line: InvoiceLine, currencyCode: string): void {
  const rows = rowsOf(paper, line);
  paper.need(heightOf(rows));
  printNumbers(paper, line, currencyCode);
  for (const { text, look } of rows) printRow(paper, text, look);
  paper.y += 6;
}

interface Row {
  readonly text: string;
  readonly look?: Look;
}

/** What is said of a line: its words, and what it covers. */
function rowsOf(paper: Paper, { description, periodStartTime, periodEndTime }: InvoiceLine): readonly Row[] {
  const words = paper.wrap(description, DESCRIPTION_WIDTH).map((text) => ({ text }));
  const covered = period(periodStartTime, periodEndTime);
  return covered === "" ? words : [...words, { text: covered, look: small }];
}

// A line of a few rows stays in one piece; a longer one may run over the end of the sheet, row by row.
function heightOf(rows: readonly Row[]): number {
  return rows.slice(0, 9).reduce((height, { look }) => height + leading(look), 0);
}

function printNumbers(paper: Paper, { quantity, unitAmountMinor, amountMinor }: InvoiceLine, currencyCode: string) {
  const { y } = paper;
  paper.write(count(quantity), { x: QUANTITY_RIGHT, y, align: "right" });
  if (unitAmountMinor !== undefined) {
    const unitPrice = formatMoney({ amountMinor: unitAmountMinor, currencyCode });
    paper.write(unitPrice, { x: UNIT_PRICE_RIGHT, y, align: "right" });
  }
  paper.write(formatMoney({ amountMinor, currencyCode }), { x: column.right, y, align: "right" });
}

function printRow(paper: Paper, row: string, look?: Look): void {
  paper.need(leading(look));
  paper.write(row, { x: column.left, y: paper.y }, look);
  paper.y += leading(look);
}
