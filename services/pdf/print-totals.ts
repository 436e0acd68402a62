import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { formatMoney } from "../_runtime/money.ts";
import { amountDueMinor } from "./amounts.ts";
import { colour, column, type Look, leading, type Paper } from "./paper.ts";

// Below unit price and amount; a tax's name of 100 letters is wrapped into it.
const LABEL_X = 290;
const LABEL_WIDTH = 130;

const strong: Look = { isBold: true };
const plain: Look = {};

interface Total {
  readonly label: string;
  readonly amountMinor: bigint;
  readonly look: Look;
}

/** Prints how the lines come to what is owed: one row a step, the last in bold. */
export function printTotals(paper: Paper, invoice: Invoice): void {
  const rows = totals(invoice);
  // Subtotal to total stays together; with fifty taxes it would not fit on a sheet, so it may break from there on.
  paper.need(Math.min(rows.length, 12) * (leading() + 6) + 8);
  paper.y += 4;
  for (const { label, amountMinor, look } of rows) {
    const amount = formatMoney({ amountMinor, currencyCode: invoice.currencyCode });
    printTotal(paper, paper.wrap(label, LABEL_WIDTH, look), amount, look);
  }
}

function totals(invoice: Invoice): readonly Total[] {
  const { subtotalMinor, discountMinor, taxes, totalMinor, paidMinor, state } = invoice;
  const dueMinor = state === InvoiceState.VOID ? 0n : amountDueMinor(invoice);
  // What neither the total nor a payment explains came from, or went to, the customer's balance.
  const balanceMinor = dueMinor - (totalMinor - paidMinor);
  const steps = [
    { label: "Subtotal", amountMinor: subtotalMinor, look: plain, isShown: true },
    { label: "Discount", amountMinor: -discountMinor, look: plain, isShown: discountMinor !== 0n },
    ...taxes.map(({ displayName, amountMinor }) => ({ label: displayName, amountMinor, look: plain, isShown: true })),
    { label: "Total", amountMinor: totalMinor, look: strong, isShown: true },
    { label: "Amount paid", amountMinor: -paidMinor, look: plain, isShown: paidMinor !== 0n },
    { label: "Applied balance", amountMinor: balanceMinor, look: plain, isShown: balanceMinor !== 0n },
    { label: "Amount due", amountMinor: dueMinor, look: strong, isShown: true },
  ];
  return steps.filter(({ isShown, label }) => isShown && !(label === "Applied balance" && state === InvoiceState.VOID));
}

function printTotal(paper: Paper, label: readonly string[], amount: string, look: Look): void {
  const height = label.length * leading(look);
  paper.need(height + 6);
  paper.document
    .moveTo(LABEL_X, paper.y)
    .lineTo(column.right, paper.y)
    .lineWidth(0.5)
    .strokeColor(colour.rule)
    .stroke();
  paper.y += 4;
  for (const [row, text] of label.entries()) {
    paper.write(text, { x: LABEL_X, y: paper.y + row * leading(look) }, look);
  }
  paper.write(amount, { x: column.right, y: paper.y, align: "right" }, look);
  paper.y += height + 2;
}
