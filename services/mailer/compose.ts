import { createHash } from "node:crypto";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import MailComposer from "nodemailer/lib/mail-composer";
import type { Account } from "../../gen/tripe/billing/v1/account_pb.ts";
import { isAddress } from "../_runtime/email-address.ts";
import { type Letter, renderHtml, renderText } from "./letter.ts";
import { oneLine } from "./words.ts";

/** A file that goes with a mail. */
export interface Attachment {
  readonly filename: string;
  readonly content: Uint8Array;
}

/** A mail before it has recipients. */
export interface Mail {
  readonly seller: Account;
  readonly letter: Letter;
  /** When what it tells of happened; its Date. */
  readonly time: Timestamp | undefined;
  readonly attachments: readonly Attachment[];
}

/** A mail as it goes over the wire. The same mail to the same recipients is the same bytes. */
export interface ComposedMail {
  /** The Message-ID, without its angle brackets. */
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly string[];
  /** The message of RFC 5322: header and body, lines ending in CR LF. */
  readonly bytes: Buffer;
}

// A domain that can never be anybody's (RFC 2606). A Message-ID has to be unique, not to lead anywhere, and one made of
// the merchant's own domain would change when the merchant's address does.
const MESSAGE_ID_DOMAIN = "tripe.invalid";
// Merchants without an address are sandboxes: their mails are files, or end at a test server.
const SENDER_DEFAULT = `no-reply@${MESSAGE_ID_DOMAIN}`;

/** Makes the Message-ID of a logical mail: it follows from account and request, so that a mail sent again is the same. */
export function messageIdOf({ accountId, requestId }: { accountId: string; requestId: string }): string {
  // The byte between keeps ("a", "bc") and ("ab", "c") apart. 128 bits of a digest never meet twice.
  const digest = createHash("sha256").update(`${accountId}\0${requestId}`).digest("hex").slice(0, 32);
  return `${digest}@${MESSAGE_ID_DOMAIN}`;
}

/** Writes a mail as bytes: HTML and text, attachments, every header on one line whatever its words hold. */
export async function compose(mail: Mail, messageId: string, to: readonly string[]): Promise<ComposedMail> {
  const letter = tidy(mail.letter);
  const from = isAddress(mail.seller.email) ? mail.seller.email : SENDER_DEFAULT;
  const composer = new MailComposer({
    from: { name: letter.sender, address: from },
    to: to.map((address) => ({ name: "", address })),
    subject: letter.subject,
    messageId: `<${messageId}>`,
    date: mail.time === undefined ? new Date(0) : timestampDate(mail.time),
    // Vacation answers and the like stay away from a mail that a program wrote (RFC 3834).
    headers: { "Auto-Submitted": "auto-generated" },
    text: renderText(letter),
    html: renderHtml(letter),
    attachments: mail.attachments.map(({ filename, content }) => ({ filename, content: Buffer.from(content) })),
    // What parts the pieces is made of chance otherwise. Text of the mail is encoded, so it cannot look like it.
    baseBoundary: messageId.slice(0, 16),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return { messageId, from, to, bytes: await composer.compile().build() };
}

function tidy(letter: Letter): Letter {
  return {
    ...letter,
    subject: oneLine(letter.subject),
    sender: oneLine(letter.sender),
    paragraphs: letter.paragraphs.filter((text) => text.trim() !== ""),
    facts: letter.facts.filter(([, value]) => value !== ""),
  };
}
