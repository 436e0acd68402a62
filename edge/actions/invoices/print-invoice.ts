import type { Account } from "../../../gen/tripe/billing/v1/account_pb.ts";
import type { Invoice } from "../../../gen/tripe/billing/v1/invoice_pb.ts";
import type { InvoiceName } from "../../../services/_views/pdf-link.ts";
import type { EdgeClients } from "../../clients.ts";
import { found } from "../../reads.ts";

/** An invoice in print, as HTTP carries it. */
export interface PrintedInvoice {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** All that an invoice in print is made of. */
export interface Printable {
  readonly invoice: Invoice;
  readonly seller: Account;
}

/** Prints an invoice: reader.GetInvoice ‖ reader.GetAccount → pdf.RenderInvoice. A draft is refused. */
export async function printInvoice(
  clients: Pick<EdgeClients, "pdf" | "reader">,
  name: InvoiceName,
): Promise<PrintedInvoice> {
  return renderPrintable(clients, await readPrintable(clients, name));
}

/** Reads what an invoice in print is made of. */
export async function readPrintable(
  { reader }: Pick<EdgeClients, "reader">,
  { accountId, invoiceId }: InvoiceName,
): Promise<Printable> {
  const [{ invoice }, { account }] = await Promise.all([
    reader.getInvoice({ accountId, invoiceId }),
    reader.getAccount({ accountId }),
  ]);
  return { invoice: found(invoice), seller: found(account) };
}

/** Puts an invoice in print. A draft is refused. */
export async function renderPrintable(
  { pdf }: Pick<EdgeClients, "pdf">,
  { invoice, seller }: Printable,
): Promise<PrintedInvoice> {
  const printed = await pdf.renderInvoice({ accountId: seller.accountId, invoice, seller });
  return {
    body: Buffer.from(printed.pdf),
    headers: {
      "content-type": "application/pdf",
      "content-disposition": `inline; filename="Invoice-${invoice.number.replaceAll(/[^\w-]/g, "_")}.pdf"`,
      etag: `"${Buffer.from(printed.sha256).toString("hex")}"`,
      // The link may stand in a shared browser, and a void invoice must not look payable from a cache.
      "cache-control": "private, no-cache",
    },
  };
}
