import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Charge, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Invoice, InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import type { CollectInvoiceRequest } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { nextAttempt } from "../_billing/dunning.ts";
import { createId } from "../_runtime/ids.ts";
import { runAttempt, type TransactionsDependencies } from "./attempt.ts";

/** How long a call waits for an equal one that is at the bank: as long as a request waits for its like (writer). */
const WAIT_MS = 2_000;

/** A charge takes two flushes and a bank: some ten looks in the time of a slow one. */
const LOOK_EVERY_MS = 100;

/**
 * Has an invoice paid: commit A begins its charge, the bank, commit B ends the charge, and a third commit draws the
 * consequence for the invoice and its subscription. Each step says what is left to do when it is run again, so recovery is
 * to run this again; the sweep of due collections does. The same request again is told what became of its own charge.
 */
export async function collectInvoice(dependencies: TransactionsDependencies, request: CollectInvoiceRequest) {
  const { accountId, invoiceId } = request;
  const begun = await begin(dependencies, request);
  const { invoice, charge, isReplayed, isWithoutPayer } = begun;
  if (charge === undefined && invoice !== undefined && isWithoutPayer) {
    return { invoice: await giveNothing(dependencies, request, invoice) };
  }
  // Asked by the schedule and not due: nothing is begun.
  if (charge === undefined) return begun;
  if (charge.state === ChargeState.PENDING || invoice?.state === InvoiceState.PAID) return begun;
  const settled = await dependencies.clients.writer.settleCollection({
    accountId,
    requestId: charge.chargeId,
    invoiceId,
    chargeId: charge.chargeId,
    ...retryOf(dependencies, invoice, charge),
  });
  return { ...(settled.invoice && { invoice: settled.invoice }), charge, isReplayed };
}

/** Begins the charge and runs it; while an equal call does, looks again for a while. */
async function begin(dependencies: TransactionsDependencies, request: CollectInvoiceRequest) {
  const { clients, clock } = dependencies;
  const { accountId, requestId, requestDigest, invoiceId, paymentMethodId, isScheduled } = request;
  const endMs = clock.preciseMs() + WAIT_MS;
  for (;;) {
    const key = { accountId, requestId, requestDigest, invoiceId, paymentMethodId, isScheduled };
    const ids = { chargeId: createId("ch_"), attemptId: createId("att_") };
    const askedMs = clock.preciseMs();
    const { invoice, charge, attempt, ...how } = await clients.writer.beginCollection({ ...key, ...ids });
    const found = {
      ...(invoice && { invoice }),
      ...(charge && { charge }),
      isReplayed: how.isReplayed,
      isWithoutPayer: how.isWithoutPayer,
    };
    if (attempt !== undefined) {
      const end = await runAttempt(dependencies, { attempt, askedMs });
      return end?.case === "charge" ? { ...found, charge: end.value } : found;
    }
    if (charge?.state !== ChargeState.PENDING || clock.preciseMs() >= endMs) return found;
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/**
 * There is nothing to charge it to. For one that is collected by itself, that is a failed attempt like any other: a
 * person's after the first is not counted.
 */
async function giveNothing(
  dependencies: TransactionsDependencies,
  { accountId, invoiceId, isScheduled }: CollectInvoiceRequest,
  invoice: Invoice,
): Promise<Invoice> {
  if (!invoice.isAutoAdvancing || invoice.state !== InvoiceState.OPEN) return invoice;
  if (!isScheduled && invoice.attemptCount > 0) return invoice;
  const attemptCount = invoice.attemptCount + 1;
  const retry = retryOf(dependencies, { ...invoice, attemptCount }, undefined);
  // The writer counts this very attempt once, however often and by however many it is told.
  const requestId = `${invoiceId}/${attemptCount}`;
  const settled = await dependencies.clients.writer.settleCollection({ accountId, requestId, invoiceId, ...retry });
  return settled.invoice ?? invoice;
}

function retryOf({ clock }: TransactionsDependencies, invoice: Invoice | undefined, charge: Charge | undefined) {
  if (invoice === undefined || charge?.state === ChargeState.SUCCEEDED) return {};
  const failedAt = new Date(clock.nowMs());
  const reason = charge?.decline?.reason;
  const next = nextAttempt({
    attemptCount: invoice.attemptCount,
    failedAt,
    ...(reason !== undefined && { declineReason: reason }),
  });
  return next === undefined ? {} : { retryDelay: durationFromMs(next.getTime() - failedAt.getTime()) };
}
