import { Code, ConnectError } from "@connectrpc/connect";
import type { Account } from "../../gen/tripe/billing/v1/account_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Snapshot } from "../../gen/tripe/billing/v1/event_pb.ts";
import { type Return, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { assert } from "../_runtime/errors.ts";
import type { SchedulerClients } from "./clients.ts";
import type { EventMailJob } from "./jobs.ts";
import { fateOf } from "./mail-fate.ts";

/** What mailing stands on. */
export interface MailDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "mailer">;
}

/** Who mails, to whom, under which key: the event's id, so that a mail made again is the same mail. */
interface Envelope {
  readonly accountId: string;
  readonly requestId: string;
  readonly seller: Account;
  readonly recipients: string[];
}

/**
 * Mails what an event causes: a receipt, or the notice of a return. Throws when the mail has to be tried again; a mail that
 * nobody will ever take is over.
 */
export async function mailEvent({ clients }: MailDependencies, { accountId, eventId }: EventMailJob): Promise<void> {
  const [{ event }, { account: seller }] = await Promise.all([
    clients.reader.getEvent({ accountId, eventId }),
    clients.reader.getAccount({ accountId }),
  ]);
  assert(event !== undefined && seller !== undefined, "a mail's event and its account are there");
  const noun = event.snapshot?.noun;
  const envelope = { accountId, requestId: eventId, seller };
  if (noun?.case === "charge") await mailReceipt(clients, envelope, noun.value);
  else if (noun?.case === "return" && !wasReturned(event.previous)) await mailNotice(clients, envelope, noun.value);
}

async function mailReceipt(
  { mailer }: MailDependencies["clients"],
  envelope: Omit<Envelope, "recipients">,
  charge: Charge,
): Promise<void> {
  if (charge.receiptEmail === "") return;
  const { deliveries } = await mailer.sendReceipt({ ...envelope, charge, recipients: [charge.receiptEmail] });
  if (fateOf(deliveries) === "postponed") postpone();
}

async function mailNotice(
  { reader, mailer }: MailDependencies["clients"],
  envelope: Omit<Envelope, "recipients">,
  record: Return,
): Promise<void> {
  // Nothing was paid that could be given back, or it is not given back yet: another event tells the end.
  if (record.isRelease || record.state !== ReturnState.SUCCEEDED) return;
  const { charge } = await reader.getCharge({ accountId: envelope.accountId, chargeId: record.chargeId });
  if (charge === undefined || charge.receiptEmail === "") return;
  const mail = { ...envelope, charge, return: record, recipients: [charge.receiptEmail] };
  const { deliveries } = await mailer.sendReturnNotice(mail);
  if (fateOf(deliveries) === "postponed") postpone();
}

/** An update of a return that had succeeded before tells its payer nothing new. */
function wasReturned(previous: Snapshot | undefined): boolean {
  return previous?.noun.case === "return" && previous.noun.value.state === ReturnState.SUCCEEDED;
}

function postpone(): never {
  throw new ConnectError("the mail server takes no mail now", Code.Unavailable);
}
