import { Code } from "@connectrpc/connect";
import type { Account } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { Snapshot } from "../../gen/tripe/billing/v1/event_pb.ts";
import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { MailResult } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { type LeasedMail, MailKind } from "../../gen/tripe/writer/v1/mails_pb.ts";
import { assert, refusalOf } from "../_runtime/errors.ts";
import type { Log } from "../_runtime/log.ts";
import { mailInvoice } from "../_runtime/mail-invoice.ts";
import type { SchedulerClients } from "./clients.ts";

/** What sending stands on. */
export interface SendMailDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer" | "pdf" | "mailer">;
  readonly log: Log;
}

/** What became of a mail. */
export type Mailed =
  | { readonly case: "sent"; readonly messageId: string }
  /** It is due again. */
  | { readonly case: "postponed" }
  /** There is nobody to mail it to, or no mail server will ever take it. */
  | { readonly case: "over"; readonly problem: string }
  /** Its end is recorded already. */
  | { readonly case: "recorded" };

/** A mail with who mails it. */
interface Order {
  readonly mail: LeasedMail;
  readonly seller: Account;
  /** The mail's id is its key, so that a mail made again is the same mail. */
  readonly key: { readonly accountId: string; readonly requestId: string };
}

/** Makes a mail of what the tables say, and sends it. Throws when a service failed: the mail has to be tried again. */
export async function sendMail(dependencies: SendMailDependencies, mail: LeasedMail): Promise<Mailed> {
  const { accountId, mailId } = mail;
  const { account: seller } = await dependencies.clients.reader.getAccount({ accountId });
  assert(seller !== undefined, "a mail has an account");
  const order = { mail, seller, key: { accountId, requestId: mailId } };
  switch (mail.kind) {
    case MailKind.INVOICE:
      return sendInvoice(dependencies, order);
    case MailKind.RECEIPT:
      return sendReceipt(dependencies, order);
    case MailKind.RETURN_NOTICE:
      return sendReturnNotice(dependencies, order);
    case MailKind.DISABLED_ENDPOINT:
      return sendEndpointNotice(dependencies, order);
    default:
      throw new Error(`this scheduler knows no mails of the kind ${mail.kind}`);
  }
}

const nobody: Mailed = { case: "over", problem: "there is nobody to mail it to" };

async function sendInvoice({ clients }: SendMailDependencies, { mail, seller }: Order): Promise<Mailed> {
  const { accountId, mailId: sendingId, objectId: invoiceId } = mail;
  const { invoice } = await clients.reader.getInvoice({ accountId, invoiceId });
  assert(invoice !== undefined, "a mail's invoice is there");
  const recipient = invoice.customerDetails?.email ?? "";
  if (recipient === "") return nobody;
  if (invoice.state === InvoiceState.VOID) return { case: "over", problem: "the invoice is void" };
  const sent = await mailInvoice(clients, { accountId, sendingId, invoice, seller, recipient });
  return { case: sent === undefined ? "postponed" : "recorded" };
}

async function sendReceipt({ clients }: SendMailDependencies, { mail, seller, key }: Order): Promise<Mailed> {
  const { accountId, objectId: eventId } = mail;
  const { event } = await clients.reader.getEvent({ accountId, eventId });
  const noun = event?.snapshot?.noun;
  if (noun?.case !== "charge" || noun.value.receiptEmail === "") return nobody;
  const charge = noun.value;
  return mailedOf(await clients.mailer.sendReceipt({ ...key, seller, charge, recipients: [charge.receiptEmail] }));
}

async function sendReturnNotice({ clients }: SendMailDependencies, { mail, seller, key }: Order): Promise<Mailed> {
  const { accountId, objectId: eventId } = mail;
  const { event } = await clients.reader.getEvent({ accountId, eventId });
  const noun = event?.snapshot?.noun;
  // Nothing was paid that could be given back, or it is not given back yet, which another event says; or it was before.
  const isNews = noun?.case === "return" && !noun.value.isRelease && noun.value.state === ReturnState.SUCCEEDED;
  if (!isNews || wasReturned(event?.previous))
    return { case: "over", problem: "the event says nothing new to a payer" };
  const record = noun.value;
  const { charge } = await clients.reader.getCharge({ accountId, chargeId: record.chargeId });
  if (charge === undefined || charge.receiptEmail === "") return nobody;
  const recipients = [charge.receiptEmail];
  return mailedOf(await clients.mailer.sendReturnNotice({ ...key, seller, charge, return: record, recipients }));
}

function wasReturned(previous: Snapshot | undefined): boolean {
  return previous?.noun.case === "return" && previous.noun.value.state === ReturnState.SUCCEEDED;
}

/** An account without an address has the line in the log; an endpoint deleted since concerns nobody. */
async function sendEndpointNotice(
  { clients, log }: SendMailDependencies,
  { mail, seller, key }: Order,
): Promise<Mailed> {
  const { accountId, objectId: webhookEndpointId, createTime } = mail;
  if (mail.tries === 1)
    log.warn("an endpoint was disabled", { account_id: accountId, webhook_endpoint_id: webhookEndpointId });
  const found = await clients.reader.getWebhookEndpoint({ accountId, webhookEndpointId }).catch((error: unknown) => {
    if (refusalOf(error)?.code !== Code.NotFound) throw error;
  });
  const webhookEndpoint = found?.webhookEndpoint;
  if (seller.email === "" || webhookEndpoint === undefined || createTime === undefined) return nobody;
  const notice = { ...key, seller, webhookEndpoint, disableTime: createTime, recipients: [seller.email] };
  return mailedOf(await clients.mailer.sendEndpointNotice(notice));
}

function mailedOf({ result, messageId }: { readonly result: MailResult; readonly messageId: string }): Mailed {
  switch (result) {
    case MailResult.SENT:
      return { case: "sent", messageId };
    case MailResult.FAILED:
      return { case: "over", problem: "no mail server will take it" };
    default:
      return { case: "postponed" };
  }
}
