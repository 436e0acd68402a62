import Type, { type TSchema } from "typebox";

/** The schemas of an answer's fields: one for each key of its view, those that may be absent included. */
export type Properties<View> = { readonly [Name in keyof View]: TSchema };

/** An object of an answer. The compiler holds its keys against those of the view that makes it. */
export function shape<View>(properties: Properties<View>, description?: string): TSchema {
  return Type.Object(properties as Record<string, TSchema>, description === undefined ? {} : { description });
}

/** The kind of an object, as its `object` says. */
export function kind<const Name extends string>(name: Name): TSchema {
  return Type.Literal(name);
}

/** A text. */
export function text(description?: string): TSchema {
  return Type.String(described(description));
}

/** One of some words. */
export function word(words: readonly string[], description?: string): TSchema {
  return Type.Unsafe<string>({ type: "string", enum: words, ...described(description) });
}

/** Whether something is so. */
export function yesNo(description?: string): TSchema {
  return Type.Boolean(described(description));
}

/** A whole number. */
export function whole(description?: string): TSchema {
  return Type.Integer(described(description));
}

/** An amount of money. */
export function amount(description = "An amount in the currency's minor unit, such as cents."): TSchema {
  return Type.Integer({ description });
}

/** A moment. */
export function moment(description = "A moment, in unix seconds."): TSchema {
  return Type.Integer({ description });
}

/** A currency. */
export const currency: TSchema = Type.String({
  description: "A currency's three-letter ISO 4217 code, in lower case.",
});

/** A number that may have a fraction: a text, so that JSON carries it unharmed. */
export function decimal(description = "A decimal number, as text."): TSchema {
  return Type.String({ description });
}

/** What is null in every answer: Stripe has something there that Tripe does not offer. */
export const nothing: TSchema = Type.Null();

/** A list that is empty in every answer: Stripe has something there that Tripe does not offer. */
export const empty: TSchema = Type.Array(Type.Unknown(), { maxItems: 0 });

/** Something, or null when there is none. */
export function nullable(schema: TSchema): TSchema {
  return Type.Union([schema, Type.Null()]);
}

/** A field that is in some answers only. */
export function sometimes(schema: TSchema): TSchema {
  return Type.Optional(schema);
}

/** An object that has a schema of its own. */
export function ref(name: string): TSchema {
  return Type.Ref(`#/components/schemas/${name}`);
}

/** The id of an object, or, when the request expands it, the object. */
export function expandable(...names: string[]): TSchema {
  return Type.Union([text("The object's id."), ...names.map(ref)]);
}

/** One of several objects. */
export function either(...schemas: TSchema[]): TSchema {
  return Type.Union(schemas);
}

/** A list of anything. */
export function many(schema: TSchema): TSchema {
  return Type.Array(schema);
}

/** The merchant's keys and values. */
export const metadata: TSchema = Type.Unsafe<Record<string, string>>({
  type: "object",
  description: "The merchant's own keys and values.",
  additionalProperties: { type: "string" },
});

/** A page of a list. */
export function listOf(name: string): TSchema {
  return Type.Object({
    object: kind("list"),
    data: many(ref(name)),
    has_more: yesNo("Whether more follow in the direction of the page."),
    url: text("The path at which the list can be asked for."),
  });
}

/** What is left to show of a deleted object. */
export function deleted(name: string): TSchema {
  return Type.Object({ id: text(), object: kind(name), deleted: Type.Literal(true) });
}

function described(description: string | undefined): { description?: string } {
  return description === undefined ? {} : { description };
}
