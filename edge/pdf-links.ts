import { createHmac, timingSafeEqual } from "node:crypto";

// `invoice_pdf` is given to customers, who have no API key. Whoever has the link may read the invoice, so nobody can guess
// one: it carries an HMAC of what it names. It says nothing of time: a link in an old mail still opens.

/** Which invoice, whose. */
export interface InvoiceName {
  readonly accountId: string;
  readonly invoiceId: string;
}

/** The link to an invoice's PDF; `origin` is such as "https://tripe.example". */
export function pdfUrlOf(name: InvoiceName, { digestKey, origin }: { digestKey: Uint8Array; origin: string }): string {
  return `${origin}/invoices/${name.accountId}/${name.invoiceId}/${sign(name, digestKey).toString("base64url")}/pdf`;
}

/** Whether a link's signature is the one that this Tripe made for that invoice; in the same time for every wrong one. */
export function isSignedPdf(name: InvoiceName, signature: string, digestKey: Uint8Array): boolean {
  const expected = Buffer.from(sign(name, digestKey).toString("base64url"));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

// A key of its own, so that no digest of a request is ever a signature of a link. Ids hold no slash.
function sign({ accountId, invoiceId }: InvoiceName, digestKey: Uint8Array): Buffer {
  const key = createHmac("sha256", digestKey).update("tripe invoice pdf link").digest();
  return createHmac("sha256", key).update(`${accountId}/${invoiceId}`).digest();
}
