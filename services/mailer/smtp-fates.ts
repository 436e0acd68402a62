import { DeliveryState } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { Fate } from "./carrier.ts";

/** What nodemailer says of a mail, or of one recipient, that was not taken. */
export interface SmtpFailure extends Error {
  /** At which step: "EENVELOPE" and "EMESSAGE" are answers to the mail, everything else is about the connection. */
  readonly code?: string | undefined;
  /** The server's whole answer, when it gave one. */
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly recipient?: string | undefined;
  /** One entry a recipient, when all of them were refused one by one. */
  readonly rejectedErrors?: readonly SmtpFailure[] | undefined;
}

/** What nodemailer says of a mail that somebody took. */
export interface SmtpAnswer {
  readonly response?: string | undefined;
  readonly rejectedErrors?: readonly SmtpFailure[] | undefined;
}

/** Reads what became of each recipient of a mail that the server took for at least one of them. */
export function fatesOfAnswer(recipients: readonly string[], answer: SmtpAnswer): readonly Fate[] {
  return recipients.map((recipient) => {
    const failure = failureOf(recipient, answer.rejectedErrors);
    if (failure === undefined) return { recipient, state: DeliveryState.ACCEPTED, reply: answer.response ?? "" };
    return fateOf(recipient, failure, false);
  });
}

/** Reads what became of each recipient of a mail that was not taken, or whose end nobody knows. */
export function fatesOfFailure(
  recipients: readonly string[],
  failure: SmtpFailure,
  /** Whether the mail had been sent to its last byte. */
  wasHandedOver: boolean,
): readonly Fate[] {
  return recipients.map((recipient) =>
    fateOf(recipient, failureOf(recipient, failure.rejectedErrors) ?? failure, wasHandedOver),
  );
}

function fateOf(recipient: string, failure: SmtpFailure, wasHandedOver: boolean): Fate {
  return { recipient, state: stateOf(failure, wasHandedOver), reply: failure.response ?? failure.message };
}

/**
 * RFC 5321, 4.2.1: 4yz means later, 5yz means never. That holds for answers to the mail itself; a refused login or a bad
 * greeting says nothing of it, and whoever runs the server can put it right. Without any answer, what counts is whether
 * the mail was already gone.
 */
function stateOf({ code, responseCode }: SmtpFailure, wasHandedOver: boolean): DeliveryState {
  const isAboutMail = code === "EENVELOPE" || code === "EMESSAGE";
  if (isAboutMail) return isPermanent(responseCode) ? DeliveryState.FAILED : DeliveryState.POSTPONED;
  return wasHandedOver && responseCode === undefined ? DeliveryState.UNKNOWN : DeliveryState.POSTPONED;
}

// 503 says that the session was out of step, not that the mail is bad. No code at all: the mail is larger than the server
// announced that it takes.
function isPermanent(responseCode: number | undefined): boolean {
  return responseCode === undefined || (responseCode >= 500 && responseCode < 600 && responseCode !== 503);
}

function failureOf(recipient: string, failures: readonly SmtpFailure[] | undefined): SmtpFailure | undefined {
  return failures?.find((failure) => failure.recipient === recipient);
}
