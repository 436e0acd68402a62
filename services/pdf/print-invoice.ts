import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Account } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { bind, createPaper } from "./paper.ts";
import { printFooter, printMarks } from "./print-foot.ts";
import { printHead } from "./print-head.ts";
import { printLines } from "./print-lines.ts";
import { printTotals } from "./print-totals.ts";

/** An invoice in print. */
export interface PrintedInvoice {
  readonly pdf: Uint8Array;
  readonly pageCount: number;
}

/**
 * Prints a finalized invoice on A4. A pure function: the same invoice and seller give the same bytes, on every machine
 * that runs the same Node (whose ICU words the dates and amounts).
 */
export async function printInvoice(invoice: Invoice, seller: Account): Promise<PrintedInvoice> {
  assert(invoice.finalizeTime !== undefined, "a printed invoice is finalized");
  const paper = createPaper({
    title: `Invoice ${invoice.number}`,
    author: seller.name,
    time: timestampDate(invoice.finalizeTime),
  });
  printHead(paper, invoice, seller);
  printLines(paper, invoice);
  printTotals(paper, invoice);
  printFooter(paper, invoice);
  const pageCount = printMarks(paper, invoice, seller);
  return { pdf: await bind(paper), pageCount };
}
