import Type, { type Static, type TSchema } from "typebox";
import { ADDRESS_MAX } from "../../services/_runtime/email-address.ts";
import { pathsNotIds } from "../paths-not-ids.ts";

/** Words a schema of ours may carry beside JSON Schema's; the decoder reads them, OpenAPI ignores them. */
export interface FieldWords {
  /** Parameters of an object that are accepted and change nothing, each with its reason; DIFFERENCES.md lists them all. */
  readonly "x-ignored"?: Readonly<Record<string, string>>;
  /** What a pattern asks for, in words that follow "must be". */
  readonly "x-expected"?: string;
  /** Whether a text is an email address, which has an error code of its own. */
  readonly "x-email"?: boolean;
  /** Whether a text is what a list is searched for, so that it may be of any form. */
  readonly "x-sought"?: boolean;
  /** Whether a text is a card's number: every other text that holds one is refused. */
  readonly "x-card-number"?: boolean;
  /** Whether a text is of the merchant's own making, so that JSON's true and false are words in it. */
  readonly "x-free"?: boolean;
}

/** A text of so many characters at most. Empty is "unset", so it is refused unless the field is clearable. */
export function text(maxLength: number, words: { description?: string } = {}) {
  return Type.String({ maxLength, ...words });
}

/** A text of a given form; `expected` says which, to follow "must be". */
export function formed(maxLength: number, pattern: string, expected: string) {
  return Type.String({ maxLength, pattern, "x-expected": expected });
}

/** An email address that the mailer mails to: what it would refuse later is refused at once. */
export function email() {
  return Type.String({ maxLength: ADDRESS_MAX, "x-email": true });
}

/** A text to look objects up by, whatever it is: what no object can have finds none. An empty one is null. */
export const soughtText = Type.Union([Type.String({ "x-sought": true }), Type.Null()]);

// What docs.stripe.com/get-started/account/statement-descriptors asks of a descriptor: Latin characters, one of them a letter
// at least, none of < > \ ' " *, and at most 22.
const LATIN_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff";
const DESCRIPTOR_PATTERN = `^(?=.*[${LATIN_LETTERS}])[ !#-&()+-;=?-\\[\\]-~${LATIN_LETTERS}]`;
const DESCRIPTOR_MAX = 22;
const DESCRIPTOR_EXPECTED = "Latin characters, at least one of them a letter and none of them < > \\ ' \" *";

/** What stands on a card holder's statement: a whole descriptor, of 5 characters at least, or what is added to one. */
export function descriptor(part: "suffix" | "whole") {
  const [least, expected] = part === "whole" ? [5, "at least 5 "] : [1, ""];
  return formed(DESCRIPTOR_MAX, `${DESCRIPTOR_PATTERN}{${least},}$`, expected + DESCRIPTOR_EXPECTED);
}

/** A card's number, on its way to be sealed: the only text that may hold one. */
export function cardNumber() {
  return Type.String({ maxLength: 32, "x-card-number": true });
}

/** A whole number. */
export function integer(bounds: { minimum?: number; maximum?: number } = {}) {
  return Type.Integer(bounds);
}

/** One of some words. */
export function choice<const Words extends readonly [string, ...string[]]>(words: Words) {
  return Type.Unsafe<Words[number]>({ type: "string", enum: words });
}

/** A field that a request may leave out. */
export function optional<S extends TSchema>(schema: S) {
  return Type.Optional(schema);
}

/** A field that a request may leave out, or unset with an empty value: it is null then. */
export function clearable<S extends TSchema>(schema: S) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

/** Named parameters; any other name is refused. */
export function group<P extends Record<string, TSchema>>(properties: P, words: FieldWords = {}) {
  return Type.Object(properties, { additionalProperties: false, ...words });
}

/** A list of at most so many items, and of at least so many. */
export function list<S extends TSchema>(items: S, maxItems: number, minItems = 0) {
  return Type.Array(items, minItems === 0 ? { maxItems } : { maxItems, minItems });
}

// Stripe's bounds (docs.stripe.com/api/metadata), which the contracts state too.
const METADATA_KEYS_MAX = 50;
const METADATA_KEY_MAX = 40;
const METADATA_VALUE_MAX = 500;

const freeText = Type.String({ maxLength: METADATA_VALUE_MAX, "x-free": true });

/** The merchant's keys and values; a null value takes its key away, null for all takes every key away. */
export const metadata = clearable(
  Type.Record(Type.String(), Type.Union([freeText, Type.Null()]), {
    maxProperties: METADATA_KEYS_MAX,
    propertyNames: { type: "string", maxLength: METADATA_KEY_MAX },
  }),
);

/** Paths to show whole; 20 are more than all there are for any object. */
export const expand = optional(list(text(200), 20));

/** An id: Tripe's own have at most 30 characters, and the contracts carry 64. */
export const id = text(64);

/** An id that the client chooses: any but those under which the object could not be asked for. */
export const ownId = formed(
  64,
  `^(?!(${[...pathsNotIds].map((path) => path.replaceAll(".", "\\.")).join("|")})$)`,
  `an id, and no part of another path: ${[...pathsNotIds].join(", ")}`,
);

/** A postal address. */
export const address = group({
  line1: clearable(text(500)),
  line2: clearable(text(500)),
  city: clearable(text(500)),
  state: clearable(text(500)),
  postal_code: clearable(text(100)),
  country: clearable(formed(2, "^[A-Za-z]{2}$", "a two-letter country code")),
});

/** A postal address as decoded. */
export type AddressParams = Static<typeof address>;

/** Where goods go. */
export const shipping = group({
  address,
  carrier: clearable(text(500)),
  name: text(500),
  phone: clearable(text(100)),
  tracking_number: clearable(text(500)),
});

/** Where goods go, as decoded. */
export type ShippingParams = Static<typeof shipping>;

/** Who pays. */
export const billingDetails = group({
  address: clearable(address),
  email: clearable(email()),
  name: clearable(text(500)),
  phone: clearable(text(100)),
});

/** Who pays, as decoded. */
export type BillingDetailsParams = Static<typeof billingDetails>;

/** When an object was made: one second, or a range of them, in unix seconds. */
export const created = optional(
  Type.Union([
    integer({ minimum: 0 }),
    group({
      gt: optional(integer({ minimum: 0 })),
      gte: optional(integer({ minimum: 0 })),
      lt: optional(integer({ minimum: 0 })),
      lte: optional(integer({ minimum: 0 })),
    }),
  ]),
);

/** What every list takes: at most 100 a page, as Stripe has it. */
export const paging = {
  limit: optional(integer({ minimum: 1, maximum: 100 })),
  starting_after: optional(id),
  ending_before: optional(id),
  expand,
};
