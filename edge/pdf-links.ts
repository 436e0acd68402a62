import { createHmac, timingSafeEqual } from "node:crypto";
import type { KeySource } from "../services/_runtime/key-files.ts";

// `invoice_pdf` is given to customers, who have no API key. Whoever has the link may read the invoice, so nobody can guess
// one: it carries an HMAC of what it names, and the id of its key. It says nothing of time: a link in an old mail still opens.

/** Which invoice, whose. */
export interface InvoiceName {
  readonly accountId: string;
  readonly invoiceId: string;
}

/** The link to an invoice's PDF; `origin` is such as "https://tripe.example". */
export function pdfUrlOf(name: InvoiceName, { keys, origin }: { keys: KeySource; origin: string }): string {
  const { id, bytes } = keys.current().first;
  return `${origin}/invoices/${name.accountId}/${name.invoiceId}/${id}.${sign(name, bytes).toString("base64url")}/pdf`;
}

/**
 * Whether a link's signature is the one that this Tripe made for that invoice, with any key that is live; in the same time for every wrong
 * one. Links made before they named their key are tried with each.
 */
export function isSignedPdf(name: InvoiceName, signature: string, keys: KeySource): boolean {
  const [, id, text = signature] = /^([0-9a-f]{8})\.(.*)$/.exec(signature) ?? [];
  const candidates = id === undefined ? keys.current().keys : [keys.find(id)];
  return candidates.some((key) => key !== undefined && isEqual(text, sign(name, key.bytes).toString("base64url")));
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

// A key of its own, so that no digest of a request is ever a signature of a link. Ids hold no slash.
function sign({ accountId, invoiceId }: InvoiceName, requestKey: Uint8Array): Buffer {
  const key = createHmac("sha256", requestKey).update("tripe invoice pdf link").digest();
  return createHmac("sha256", key).update(`${accountId}/${invoiceId}`).digest();
}
