import { CollectionMethod, type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { DueInvoice } from "../../gen/tripe/writer/v1/collections_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import { assert, refusalOf } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import type { SweepRun } from "./sweep.ts";
import { workThrough } from "./work-through.ts";

/** What collecting stands on. */
export interface CollectDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer" | "transactions">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What 16 lanes collect well within a lease, even when the bank takes a second for each. */
export const COLLECTIONS_LIMIT = 100;

/** As many charges under way as two cores carry at full speed; the bank's lines are shared with live requests. */
const LANES_COUNT = 16;

/** Somebody else finalized the draft, or deleted it, or gave it items until its total is one that no charge could be: it is theirs. */
const OVERTAKEN = new Set([
  "INVOICE_NOT_DRAFT",
  "INVOICE_NOT_FOUND",
  "INVOICE_TOTAL_NEGATIVE",
  "INVOICE_TOTAL_TOO_LARGE",
  "INVOICE_TOTAL_TOO_SMALL",
]);

type Finalize = (due: DueInvoice) => Promise<Invoice | undefined>;

/**
 * Finalizes every draft that is due and collects it, and every open invoice whose next attempt is due; and finishes each
 * payment that was left under way. Whether one is still due to be charged is the writer's to say, who holds the invoice.
 */
export async function collectDue({ clients, clock, log }: CollectDependencies): Promise<SweepRun> {
  const { invoices } = await clients.writer.leaseCollections({ limit: COLLECTIONS_LIMIT });
  const finalize = finalizeInOrder(clients);
  const work = async (due: DueInvoice) => {
    const { accountId, invoiceId } = due;
    const invoice = due.isDraft
      ? await finalize(due)
      : (await clients.reader.getInvoice({ accountId, invoiceId })).invoice;
    if (invoice === undefined || (due.isDraft && !isCollectable(invoice))) return true;
    const requestId = `${invoiceId}/collect/${invoice.attemptCount + 1}`;
    await clients.transactions.collectInvoice({ accountId, invoiceId, requestId, isScheduled: true });
    return true;
  };
  // Ids sort by time: of several months that are behind, the first gets the first number.
  const rows = invoices.toSorted((one, other) => (one.invoiceId < other.invoiceId ? -1 : 1));
  return workThrough({ rows, work, lanesCount: LANES_COUNT, name: "invoices", clock, log });
}

// An invoice to be mailed has its sending since it was finalized.
function isCollectable({ state, collectionMethod, isAutoAdvancing }: Invoice): boolean {
  const isOpen = state === InvoiceState.OPEN && isAutoAdvancing;
  return isOpen && collectionMethod === CollectionMethod.CHARGE_AUTOMATICALLY;
}

/** One after the other, in the order asked: numbers are given in it. Gives undefined for what is no draft any more. */
function finalizeInOrder({ writer }: Pick<SchedulerClients, "writer">): Finalize {
  let last: Promise<unknown> = Promise.resolve();
  return ({ accountId, invoiceId }) => {
    const finalized = last.then(async () => {
      try {
        const asked = { accountId, invoiceId, requestId: `${invoiceId}/finalize` };
        const { invoice } = await writer.finalizeInvoice(asked);
        assert(invoice !== undefined, "an invoice that was finalized is there");
        return invoice;
      } catch (error) {
        if (OVERTAKEN.has(refusalOf(error)?.reason ?? "")) return undefined;
        throw error;
      }
    });
    last = finalized.catch(() => undefined);
    return finalized;
  };
}
