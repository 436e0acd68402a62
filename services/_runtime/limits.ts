import type { ServiceName } from "./topology.ts";

/** The largest message between services: a page of 100 objects has some 200 KB, a batch of 256 some 500. */
export const MESSAGE_MAX_BYTES = 1_048_576;

/** The largest message that holds a PDF: an invoice of some 500 pages. */
export const PDF_MESSAGE_MAX_BYTES = 8_388_608;

/** The largest message to and from a service: those that make or mail PDFs are allowed more. */
export function maxMessageBytesOf(name: ServiceName): number {
  return name === "pdf" || name === "mailer" ? PDF_MESSAGE_MAX_BYTES : MESSAGE_MAX_BYTES;
}
