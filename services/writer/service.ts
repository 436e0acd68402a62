import type { ServiceImpl } from "@connectrpc/connect";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { writeAccounts } from "./accounts.ts";
import { resolveAlert } from "./alerts.ts";
import { findAnswer, type WriterDependencies } from "./answers.ts";
import { leaseAttempts, postponeAttempt } from "./attempts.ts";
import { createBeginCapture } from "./begin-capture.ts";
import { createBeginCharge } from "./begin-charge.ts";
import { beginCollection } from "./begin-collection.ts";
import { beginExpiries } from "./begin-expiries.ts";
import { createBeginReturn } from "./begin-return.ts";
import { createBegunCharges } from "./begun-charges.ts";
import { createCheckDatabase } from "./check-database.ts";
import { markInvoiceUncollectible, payInvoiceOutOfBand, voidInvoice } from "./close-invoice.ts";
import { createCustomer, deleteCustomer, updateCustomer } from "./customers.ts";
import { leaseCollections, leaseRenewals } from "./due.ts";
import { dispatchEvents } from "./events.ts";
import { finalizeInvoice } from "./finalize-invoice.ts";
import { createInvoiceItem, deleteInvoiceItem, updateInvoiceItem } from "./invoice-items.ts";
import { createInvoice, deleteInvoice, updateInvoice } from "./invoices.ts";
import { writeLateAttempts } from "./late-attempts.ts";
import { leaseMails, recordMails, redriveMails } from "./mails.ts";
import { writeMisuseAlerts } from "./misuse-alerts.ts";
import { attachPaymentMethod, createPaymentMethod, createToken, detachPaymentMethod } from "./payment-methods.ts";
import { createPrice, updatePrice } from "./prices.ts";
import { createProduct, updateProduct } from "./products.ts";
import { renewSubscription } from "./renew-subscription.ts";
import { beginSending, markSent } from "./sendings.ts";
import { createSettleCapture } from "./settle-capture.ts";
import { createSettleCharge } from "./settle-charge.ts";
import { settleCollection } from "./settle-collection.ts";
import { createSettleRelease } from "./settle-release.ts";
import { createSettleReturn } from "./settle-return.ts";
import { cancelSubscription, createSubscription, updateSubscription } from "./subscriptions.ts";
import { updateCharge } from "./update-charge.ts";
import { writeVerifications } from "./verifications.ts";
import { writeWebhooks } from "./webhooks.ts";

/** Creates the writer: one rpc is one atomic change. */
export function createWriter(dependencies: WriterDependencies): ServiceImpl<typeof WriterService> {
  const begunCharges = createBegunCharges(dependencies.clock);
  const beginCharge = createBeginCharge(dependencies, begunCharges);
  const settleCharge = createSettleCharge(dependencies, begunCharges);
  const beginCapture = createBeginCapture(dependencies);
  const settleCapture = createSettleCapture(dependencies);
  const settleRelease = createSettleRelease(dependencies);
  const beginReturn = createBeginReturn(dependencies);
  const settleReturn = createSettleReturn(dependencies);
  return {
    createCustomer: (request) => createCustomer(dependencies, request),
    updateCustomer: (request) => updateCustomer(dependencies, request),
    deleteCustomer: (request) => deleteCustomer(dependencies, request),
    createToken: (request) => createToken(dependencies, request),
    createPaymentMethod: (request) => createPaymentMethod(dependencies, request),
    attachPaymentMethod: (request) => attachPaymentMethod(dependencies, request),
    detachPaymentMethod: (request) => detachPaymentMethod(dependencies, request),
    beginCharge: (request) => beginCharge(request),
    settleCharge: (request) => settleCharge(request),
    updateCharge: (request) => updateCharge(dependencies, request),
    beginCapture: (request) => beginCapture(request),
    settleCapture: (request) => settleCapture(request),
    beginExpiries: (request) => beginExpiries(dependencies, request),
    settleRelease: async (request) => {
      const { record, ...rest } = await settleRelease(request);
      return { ...rest, ...(record && { return: record }) };
    },
    beginReturn: async (request) => nameReturn(await beginReturn(request)),
    settleReturn: async (request) => nameReturn(await settleReturn(request)),
    leaseAttempts: (request) => leaseAttempts(dependencies, request),
    postponeAttempt: (request) => postponeAttempt(dependencies, request),
    ...writeLateAttempts(dependencies),
    findAnswer: (request) => findAnswer(dependencies, request),
    createProduct: (request) => createProduct(dependencies, request),
    updateProduct: (request) => updateProduct(dependencies, request),
    createPrice: (request) => createPrice(dependencies, request),
    updatePrice: (request) => updatePrice(dependencies, request),
    createInvoiceItem: (request) => createInvoiceItem(dependencies, request),
    updateInvoiceItem: (request) => updateInvoiceItem(dependencies, request),
    deleteInvoiceItem: (request) => deleteInvoiceItem(dependencies, request),
    createInvoice: (request) => createInvoice(dependencies, request),
    updateInvoice: (request) => updateInvoice(dependencies, request),
    deleteInvoice: (request) => deleteInvoice(dependencies, request),
    finalizeInvoice: (request) => finalizeInvoice(dependencies, request),
    voidInvoice: (request) => voidInvoice(dependencies, request),
    markInvoiceUncollectible: (request) => markInvoiceUncollectible(dependencies, request),
    payInvoiceOutOfBand: (request) => payInvoiceOutOfBand(dependencies, request),
    beginCollection: (request) => beginCollection(dependencies, request),
    settleCollection: (request) => settleCollection(dependencies, request),
    leaseCollections: (request) => leaseCollections(dependencies, request),
    beginSending: (request) => beginSending(dependencies, request),
    markSent: (request) => markSent(dependencies, request),
    leaseMails: (request) => leaseMails(dependencies, request),
    recordMails: (request) => recordMails(dependencies, request),
    redriveMails: (request) => redriveMails(dependencies, request),
    createSubscription: (request) => createSubscription(dependencies, request),
    updateSubscription: (request) => updateSubscription(dependencies, request),
    cancelSubscription: (request) => cancelSubscription(dependencies, request),
    leaseRenewals: (request) => leaseRenewals(dependencies, request),
    renewSubscription: (request) => renewSubscription(dependencies, request),
    dispatchEvents: (request) => dispatchEvents(dependencies, request),
    ...writeAccounts(dependencies),
    ...writeMisuseAlerts(dependencies),
    ...writeVerifications(dependencies),
    ...writeWebhooks(dependencies),
    resolveAlert: (request) => resolveAlert(dependencies, request),
    checkDatabase: createCheckDatabase(dependencies),
  };
}

/** `return` is a keyword in code and the field's name in the contract. */
function nameReturn<Answer extends { record: unknown }>({ record, ...rest }: Answer) {
  return { ...rest, return: record as Answer["record"] };
}
