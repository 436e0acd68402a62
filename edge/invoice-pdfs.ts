import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { AccountSchema } from "../gen/tripe/billing/v1/account_pb.ts";
import { InvoiceSchema } from "../gen/tripe/billing/v1/invoice_pb.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import type { InvoiceName } from "../services/_views/pdf-link.ts";
import {
  type Printable,
  type PrintedInvoice,
  readPrintable,
  renderPrintable,
} from "./actions/invoices/print-invoice.ts";
import { createBoundedCache } from "./bounded-cache.ts";
import type { EdgeClients } from "./clients.ts";
import { createPlaces } from "./places.ts";
import { createSharedRuns } from "./shared-runs.ts";

/** Invoices in print for those who have a link. */
export interface InvoicePdfs {
  /** Prints an invoice as it is now. Throws a Problem, 429 or 503, when more is printed than has places. */
  print(name: InvoiceName, client: string): Promise<PrintedInvoice>;
}

// Places of their own: what has a link and no key takes none from a merchant. The printing thread does one at a time; eight
// keep it busy, and wait for less than a second.
const PLACES_MAX = 8;
const OF_CLIENT_MAX = 4;

// Twenty reads of one invoice a second, each for so many who ask at the same time: nobody has more customers for one.
const REST_MS = 50;
const WAITING_MAX = 16;

// Some hundreds of pages of 50 to 100 KB.
const BYTES_MAX = 32 * 1_048_576;

/**
 * Makes the printing of links: each request reads the invoice anew, or shares a read that starts after it came; what was
 * printed is found again by all that it was made of, so that no changed invoice is shown as it was.
 */
export function createInvoicePdfs({
  clients,
  clock,
}: {
  clients: Pick<EdgeClients, "pdf" | "reader">;
  clock: Clock;
}): InvoicePdfs {
  const places = createPlaces({ max: PLACES_MAX, ofHolderMax: OF_CLIENT_MAX });
  const runs = createSharedRuns<PrintedInvoice>({ clock, restMs: REST_MS, waitingMax: WAITING_MAX });
  const printed = createBoundedCache<PrintedInvoice>({ sizeMax: BYTES_MAX, sizeOf: ({ body }) => body.length });
  const print = async (name: InvoiceName) => {
    const printable = await readPrintable(clients, name);
    const content = contentOf(printable);
    const known = printed.get(content) ?? (await renderPrintable(clients, printable));
    printed.set(content, known);
    return known;
  };
  return {
    print: (name, client) =>
      runs.run(`${name.accountId}/${name.invoiceId}`, async () => {
        const leave = places.enter(client);
        try {
          return await print(name);
        } finally {
          leave();
        }
      }),
  };
}

/** Everything a page is made of, as one short text. The program that prints is the same for as long as this process lives. */
function contentOf({ invoice, seller }: Printable): string {
  const [first, second] = [toBinary(InvoiceSchema, invoice), toBinary(AccountSchema, seller)];
  return createHash("sha256").update(`${first.length} `).update(first).update(second).digest("base64");
}
