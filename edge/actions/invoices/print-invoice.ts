import type { EdgeClients } from "../../clients.ts";
import type { InvoiceName } from "../../pdf-links.ts";
import { found } from "../../reads.ts";

/** An invoice in print, as HTTP carries it. */
export interface PrintedInvoice {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Prints an invoice: reader.GetInvoice ‖ reader.GetAccount → pdf.RenderInvoice. A draft is refused. */
export async function printInvoice(
  { pdf, reader }: Pick<EdgeClients, "pdf" | "reader">,
  { accountId, invoiceId }: InvoiceName,
): Promise<PrintedInvoice> {
  const [{ invoice }, { account }] = await Promise.all([
    reader.getInvoice({ accountId, invoiceId }),
    reader.getAccount({ accountId }),
  ]);
  const printed = await pdf.renderInvoice({ accountId, invoice: found(invoice), seller: found(account) });
  return {
    body: Buffer.from(printed.pdf),
    headers: {
      "content-type": "application/pdf",
      "content-disposition": `inline; filename="Invoice-${found(invoice).number.replaceAll(/[^\w-]/g, "_")}.pdf"`,
      etag: `"${Buffer.from(printed.sha256).toString("hex")}"`,
      // The link may stand in a shared browser, and a void invoice must not look payable from a cache.
      "cache-control": "private, no-cache",
    },
  };
}
