/** The nouns a request can name by id. */
export type Noun =
  | "charge"
  | "customer"
  | "event"
  | "invoice"
  | "invoiceItem"
  | "invoicePayment"
  | "ledgerTransfer"
  | "paymentMethod"
  | "price"
  | "product"
  | "return"
  | "subscription"
  | "token"
  | "webhookEndpoint";

/** Where in a request an id stood: param "id" for the path. */
export interface Mention {
  readonly id: string;
  readonly param: string;
  /** Whether the id stood in the path though its param has another name, as in a path that goes on behind the id. */
  readonly isInPath?: boolean;
}

/** The ids a request names, by noun: how a service's "not found" becomes words about the client's own parameters. */
export type Mentions = Partial<Readonly<Record<Noun, Mention>>>;

/** A mention of an id that may not be given. */
export function mention(id: string | null | undefined, param: string): Mention | undefined {
  return id === undefined || id === null ? undefined : { id, param };
}

/** Keeps the mentions there are. */
export function mentions(all: Partial<Record<Noun, Mention | undefined>>): Mentions {
  return Object.fromEntries(Object.entries(all).filter(([, given]) => given !== undefined));
}
