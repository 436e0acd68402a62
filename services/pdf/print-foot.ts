import type { Account } from "../../gen/tripe/billing/v1/account_pb.ts";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { colour, column, type Look, leading, type Paper, page } from "./paper.ts";

const small: Look = { size: 8, colour: colour.soft };
// Below the text and above what a printer cannot reach (a quarter of an inch, 18 points).
const FOOT_Y = 795;
// Large enough to be read across a room, small enough for the sheet's diagonal.
const VOID_SIZE = 160;

/** Prints the merchant's words under the totals. */
export function printFooter(paper: Paper, { footer }: Invoice): void {
  if (footer === "") return;
  paper.y += 24;
  for (const line of paper.wrap(footer, column.right - column.left, small)) {
    paper.need(leading(small));
    paper.write(line, { x: column.left, y: paper.y }, small);
    paper.y += leading(small);
  }
}

/** Prints what stands on every sheet: seller, number and "1 / 3" at the foot, VOID across a void one. Returns their count. */
export function printMarks(paper: Paper, { number, state }: Invoice, seller: Account): number {
  const { start, count } = paper.document.bufferedPageRange();
  const title = seller.name === "" ? `Invoice ${number}` : `Invoice ${number} · `;
  // One line, less what "100 / 100" needs: a longer name is cut here, it stands in full at the head. The name is a piece of its
  // own, since it may run from right to left.
  const [foot = ""] = paper.wrap(title, column.right - column.left - 60, small);
  const nameX = column.left + paper.width(`${foot} `, small);
  const nameWidth = column.right - 60 - nameX;
  const [name = ""] = nameWidth < 20 ? [] : paper.wrap(seller.name, nameWidth, small);
  for (let index = 0; index < count; index += 1) {
    paper.document.switchToPage(start + index);
    paper.rule(FOOT_Y - 8);
    paper.write(foot, { x: column.left, y: FOOT_Y }, small);
    paper.write(name, { x: nameX, y: FOOT_Y }, small);
    paper.write(`${index + 1} / ${count}`, { x: column.right, y: FOOT_Y, align: "right" }, small);
    if (state === InvoiceState.VOID) printVoid(paper);
  }
  return count;
}

function printVoid(paper: Paper): void {
  const look: Look = { size: VOID_SIZE, isBold: true, colour: colour.void };
  const middle = { x: page.width / 2, y: page.height / 2 };
  paper.document
    .save()
    .rotate(-45, { origin: [middle.x, middle.y] })
    .opacity(0.09);
  paper.write("VOID", { x: middle.x, y: middle.y - VOID_SIZE / 2, align: "center" }, look);
  paper.document.restore();
}
