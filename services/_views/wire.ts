import type Stripe from "stripe";

/**
 * A type of the SDK as it travels: the SDK types every `*_decimal` as a `Decimal` object, JSON carries its text.
 * Everything else keeps its shape, however deep.
 */
export type Wire<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Stripe.Decimal
    ? string
    : { [K in keyof T]: Wire<T[K]> };

/** The version of Stripe's API whose shapes Tripe answers with. The compiler holds it against the SDK's. */
export const API_VERSION: Stripe.LatestApiVersion = "2026-10-28.endive";
