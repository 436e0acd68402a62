import type { SmtpFailure } from "./smtp-fates.ts";

// nodemailer's words for the steps before a mail. Its messages are not repeated: a server's words may name an account.
const wordsByCode: Readonly<Record<string, string>> = {
  EAUTH: "refuses the login",
  EDNS: "has a name that is not known",
  ENOAUTH: "wants a login that SMTP_URL does not have",
  ETIMEDOUT: "does not answer",
  ETLS: "offers no TLS that can be trusted",
};

/**
 * Says why a mail server cannot be used, as words that follow "the mail server"; empty when it answered, whatever it
 * answered to the mail.
 */
export function serverProblemOf({ code, message }: SmtpFailure): string {
  if (code === "EENVELOPE" || code === "EMESSAGE" || code === "ESTREAM") return "";
  const system = /\b(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH)\b/.exec(message)?.[1];
  if (system === "ECONNREFUSED") return "is not there: nothing listens";
  if (system !== undefined) return "cannot be reached";
  return wordsByCode[code ?? ""] ?? "ends the connection";
}
