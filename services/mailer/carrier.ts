import type { DeliveryState } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { ComposedMail } from "./compose.ts";

/** What became of a mail at one recipient. */
export interface Fate {
  readonly recipient: string;
  readonly state: DeliveryState;
  /** The mail server's words, or ours when it said nothing. */
  readonly reply: string;
}

/** What brings mails away: a mail server, or a folder. */
export interface Carrier {
  /** Hands a mail over and says what became of it, one entry a recipient. What a mail server says is never thrown. */
  carry(mail: ComposedMail, signal: AbortSignal): Promise<readonly Fate[]>;
  close(): void;
}
