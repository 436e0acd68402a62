import type { Account } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { BillingDetails } from "../../gen/tripe/billing/v1/address_pb.ts";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { formatMoney } from "../_runtime/money.ts";
import { amountDueMinor } from "./amounts.ts";
import { colour, column, type Look, leading, type Paper, page } from "./paper.ts";
import { addressLines, calendarDay, dayOf } from "./words.ts";

// The seller stands left, the buyer from the middle on; half the sheet each, less a gutter.
const BUYER_X = 300;
const PARTY_WIDTH = 230;
// Both parties end above the middle of the sheet: a merchant's address may have 2,000 letters, or as many line breaks.
const PARTY_ROWS_MAX = 30;
// The longest label, "Invoice number", and room after it.
const FACT_WIDTH = 90;

const title: Look = { size: 22, isBold: true };
const strong: Look = { isBold: true };
const soft: Look = { colour: colour.soft };

/** Prints what stands above the lines: title, number and dates, seller and buyer, what is owed, the merchant's words. */
export function printHead(paper: Paper, invoice: Invoice, seller: Account): void {
  paper.write("Invoice", { x: column.left, y: paper.y }, title);
  printBadge(paper, invoice);
  paper.y += leading(title) + 10;
  printFacts(paper, invoice);
  printParties(paper, invoice, seller);
  printHeadline(paper, invoice);
}

function printBadge(paper: Paper, { state }: Invoice): void {
  if (state !== InvoiceState.PAID && state !== InvoiceState.VOID) return;
  const word = state === InvoiceState.PAID ? "PAID" : "VOID";
  const ink = state === InvoiceState.PAID ? colour.paid : colour.void;
  const look: Look = { size: 12, isBold: true, colour: ink };
  paper.write(word, { x: column.right - 30, y: paper.y + 7, align: "center" }, look);
  paper.document
    .roundedRect(column.right - 60, paper.y + 2, 60, 24, 4)
    .lineWidth(1.5)
    .strokeColor(ink)
    .stroke();
}

function printFacts(paper: Paper, { number, finalizeTime, dueDate }: Invoice): void {
  const facts = [
    ["Invoice number", number],
    ["Date of issue", finalizeTime === undefined ? "" : dayOf(finalizeTime)],
    ["Date due", dueDate === undefined ? "" : calendarDay(dueDate)],
  ] as const;
  for (const [label, value] of facts) {
    if (value === "") continue;
    paper.write(label, { x: column.left, y: paper.y }, strong);
    paper.write(value, { x: column.left + FACT_WIDTH, y: paper.y }, strong);
    paper.y += leading();
  }
  paper.y += 18;
}

function printParties(paper: Paper, invoice: Invoice, seller: Account): void {
  const top = paper.y;
  const buyer = buyerLines(invoice.customerDetails);
  const sellerEnd = printParty(paper, column.left, [seller.name], [...seller.address.split("\n"), seller.email]);
  paper.y = top;
  const buyerEnd = printParty(paper, BUYER_X, ["Bill to"], buyer.length > 0 ? buyer : [invoice.customerId]);
  paper.y = Math.max(sellerEnd, buyerEnd) + 22;
}

function buyerLines(details: BillingDetails | undefined): readonly string[] {
  if (details === undefined) return [];
  return [details.name, ...addressLines(details.address), details.email, details.phone].filter(Boolean);
}

function printParty(paper: Paper, x: number, heads: readonly string[], lines: readonly string[]): number {
  const rowsOf = (texts: readonly string[], look: Look) =>
    texts
      .filter((text) => text.trim() !== "")
      .flatMap((text) => paper.wrap(text, PARTY_WIDTH, look))
      .map((text) => ({ text, look }));
  for (const { text, look } of [...rowsOf(heads, strong), ...rowsOf(lines, {})].slice(0, PARTY_ROWS_MAX)) {
    paper.write(text, { x, y: paper.y }, look);
    paper.y += leading(look);
  }
  return paper.y;
}

function printHeadline(paper: Paper, invoice: Invoice): void {
  const look: Look = { size: 15, isBold: true };
  paper.need(leading(look) + 20);
  paper.write(headline(invoice), { x: column.left, y: paper.y }, look);
  paper.y += leading(look) + 4;
  if (invoice.description !== "") {
    for (const line of paper.wrap(invoice.description, page.width - 2 * page.margin, soft)) {
      paper.need(leading(soft));
      paper.write(line, { x: column.left, y: paper.y }, soft);
      paper.y += leading(soft);
    }
  }
  paper.y += 12;
}

function headline(invoice: Invoice): string {
  const { currencyCode, state, paidMinor, dueDate } = invoice;
  if (state === InvoiceState.VOID) return "This invoice is void: nothing is owed";
  if (state === InvoiceState.PAID) return `${formatMoney({ amountMinor: paidMinor, currencyCode })} paid`;
  const amount = formatMoney({ amountMinor: amountDueMinor(invoice), currencyCode });
  return dueDate === undefined ? `${amount} due` : `${amount} due ${calendarDay(dueDate)}`;
}
