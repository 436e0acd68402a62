import type { Clock } from "../_runtime/clock.ts";
import type { Config } from "../_runtime/config.ts";
import { openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { pdfUrlOf } from "../_views/pdf-link.ts";
import type { Courier } from "./deliver-event.ts";

/** Makes the maker of links that events of invoices carry; undefined without TRIPE_PUBLIC_URL, since there is no request to go by. */
export function createPdfLinks(
  { publicUrl: origin, pdfLinkDays: days, dataDir }: Config,
  clock: Clock,
): Courier["invoicePdfUrl"] {
  if (origin === undefined) return undefined;
  const keys = openKeys({ kind: "request", file: keyFile(dataDir, "request"), clock });
  return (invoice) => pdfUrlOf(invoice, { keys, origin, days, nowMs: clock.nowMs() });
}
