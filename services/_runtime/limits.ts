import type { ServiceName } from "./topology.ts";

/** The largest message between services that hold no objects of merchants: ids, cards, states. */
export const MESSAGE_MAX_BYTES = 1_048_576;

/**
 * The largest message that holds a PDF, an invoice of some 500 pages; or objects. The largest of these is an event: an
 * invoice as it is and as it was, of INVOICE_TEXT_MAX_BYTES each and as much again for the bare lines of 250 items. A
 * subscription's twenty items with all the metadata there may be are 2.2 MB, its event twice that.
 */
export const OBJECT_MESSAGE_MAX_BYTES = 8_388_608;

/** What merchants may write on all lines of an invoice, descriptions and metadata as JSON: 250 lines of 8 kB. */
export const INVOICE_TEXT_MAX_BYTES = 2_097_152;

/** A page of a list ends early when its objects come to this: half a message, so that a measure somewhat short does no harm. */
export const PAGE_MAX_BYTES = 4_194_304;

/** The largest message to and from a service. */
export function maxMessageBytesOf(name: ServiceName): number {
  return name === "bank" || name === "scheduler" ? MESSAGE_MAX_BYTES : OBJECT_MESSAGE_MAX_BYTES;
}
