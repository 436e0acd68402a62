/**
 * Everything Tripe tells merchants of, under Stripe's names (docs.stripe.com/api/events/types). A test of the writer holds
 * this list against what its rpcs tell, and the views hold it against the SDK's types.
 */
export const eventTypes = [
  "charge.captured",
  "charge.expired",
  "charge.failed",
  "charge.pending",
  "charge.refund.updated",
  "charge.refunded",
  "charge.succeeded",
  "charge.updated",
  "customer.created",
  "customer.deleted",
  "customer.subscription.created",
  "customer.subscription.deleted",
  "customer.subscription.updated",
  "customer.updated",
  "invoice.created",
  "invoice.deleted",
  "invoice.finalized",
  "invoice.marked_uncollectible",
  "invoice.paid",
  "invoice.payment_failed",
  "invoice.payment_succeeded",
  "invoice.sent",
  "invoice.updated",
  "invoice.voided",
  "invoiceitem.created",
  "invoiceitem.deleted",
  "payment_method.attached",
  "payment_method.detached",
  "price.created",
  "price.updated",
  "product.created",
  "product.updated",
  "refund.created",
  "refund.failed",
  "refund.updated",
] as const;

/** What an event can tell of. */
export type EventType = (typeof eventTypes)[number];

/**
 * The types that a merchant's words mean: a type itself, "charge.*" for all that begin so, "*" for all. Words that mean
 * nothing Tripe tells of mean no type.
 */
export function matchEventTypes(words: readonly string[]): EventType[] {
  return eventTypes.filter((type) => words.some((word) => isMeant(type, word)));
}

function isMeant(type: EventType, word: string): boolean {
  return word.endsWith("*") ? type.startsWith(word.slice(0, -1)) : type === word;
}
