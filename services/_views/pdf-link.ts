import { createHmac, timingSafeEqual } from "node:crypto";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { KeySource } from "../_runtime/key-files.ts";

// `invoice_pdf` is given to customers, who have no API key. Whoever has the link may read the invoice, so nobody can guess
// one: it carries the id of a key, the second at which it ends, and an HMAC of that and of what it names.

/** Which invoice, whose. */
export interface InvoiceName {
  readonly accountId: string;
  readonly invoiceId: string;
}

/** The times of an invoice that its link's end goes by. */
export interface InvoiceTimes {
  readonly createTime?: Timestamp | undefined;
  readonly finalizeTime?: Timestamp | undefined;
  readonly dueTime?: Timestamp | undefined;
}

/** What links are made with; `origin` is such as "https://tripe.example", and `days` TRIPE_PDF_LINK_DAYS. */
export interface PdfLinkOptions {
  readonly keys: KeySource;
  readonly origin: string;
  readonly days: number;
  readonly nowMs: number;
}

const DAY_S = 86_400;

/**
 * The link to an invoice's PDF. It ends so many days after the invoice is due, or was finalized when nothing is due; a link that is asked
 * for later than that, so many days after today.
 */
export function pdfUrlOf(invoice: InvoiceName & InvoiceTimes, { keys, origin, days, nowMs }: PdfLinkOptions): string {
  const { id, bytes } = keys.current().first;
  const nowSeconds = nowMs / 1_000;
  const ownEnd = Math.floor(startMs(invoice, nowMs) / 1_000) + days * DAY_S;
  const endSeconds = ownEnd > nowSeconds ? ownEnd : (Math.floor(nowSeconds / DAY_S) + 1 + days) * DAY_S;
  const end = endSeconds.toString(36);
  const { accountId, invoiceId } = invoice;
  const signature = sign(invoice, end, bytes).toString("base64url");
  return `${origin}/invoices/${accountId}/${invoiceId}/${id}.${end}.${signature}/pdf`;
}

/**
 * Says whether a link's signature is one that this Tripe made for that invoice, with a key that is live, and has not ended; in the same
 * time for every wrong one.
 */
export function checkPdfSignature(
  name: InvoiceName,
  signature: string,
  { keys, nowMs }: Pick<PdfLinkOptions, "keys" | "nowMs">,
): "good" | "ended" | "wrong" {
  const [, id = "", end = "", given = ""] = /^([0-9a-f]{8})\.([0-9a-z]{1,10})\.([\w-]+)$/.exec(signature) ?? [];
  const key = keys.find(id);
  if (key === undefined || !isEqual(given, sign(name, end, key.bytes).toString("base64url"))) return "wrong";
  return Number.parseInt(end, 36) * 1_000 > nowMs ? "good" : "ended";
}

function startMs({ dueTime, finalizeTime, createTime }: InvoiceTimes, nowMs: number): number {
  const time = dueTime ?? finalizeTime ?? createTime;
  return time === undefined ? nowMs : timestampMs(time);
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

// A key of its own, so that no digest of a request is ever a signature of a link. Ids hold no slash.
function sign({ accountId, invoiceId }: InvoiceName, end: string, requestKey: Uint8Array): Buffer {
  const key = createHmac("sha256", requestKey).update("tripe invoice pdf link").digest();
  return createHmac("sha256", key).update(`${accountId}/${invoiceId}/${end}`).digest();
}
