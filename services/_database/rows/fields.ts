import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Address,
  AddressSchema,
  type BillingDetails,
  BillingDetailsSchema,
  type Shipping,
  ShippingSchema,
} from "../../../gen/tripe/billing/v1/address_pb.ts";
import { type Decline, DeclineSchema } from "../../../gen/tripe/billing/v1/decline_pb.ts";

/** A moment as a message has it; undefined while it has not come. */
export function timestampOf(value: Date | null): Timestamp | undefined {
  return value === null ? undefined : timestampFromDate(value);
}

/** An address from its jsonb column. */
export function addressOf(value: JsonValue): Address | undefined {
  return value === null ? undefined : fromJson(AddressSchema, value);
}

/** An address for its jsonb column, as text; null for none. */
export function addressJson(value: Address | undefined): string | null {
  return value === undefined ? null : JSON.stringify(toJson(AddressSchema, value));
}

/** Shipping from its jsonb column. */
export function shippingOf(value: JsonValue): Shipping | undefined {
  return value === null ? undefined : fromJson(ShippingSchema, value);
}

/** Shipping for its jsonb column, as text; null for none. */
export function shippingJson(value: Shipping | undefined): string | null {
  return value === undefined ? null : JSON.stringify(toJson(ShippingSchema, value));
}

/** Billing details from their jsonb column. */
export function billingDetailsOf(value: JsonValue): BillingDetails | undefined {
  return value === null ? undefined : fromJson(BillingDetailsSchema, value);
}

/** Billing details for their jsonb column, as text; null for none. */
export function billingDetailsJson(value: BillingDetails | undefined): string | null {
  return value === undefined ? null : JSON.stringify(toJson(BillingDetailsSchema, value));
}

/** A decline from its two columns; undefined when nothing was declined. */
export function declineOf(reason: string | null, responseCode: string | null): Decline | undefined {
  return reason === null ? undefined : create(DeclineSchema, { reason, responseCode: responseCode ?? "" });
}

/** The text that is NULL in a column when it is empty in a message: an id that may be missing. */
export function nullIfEmpty(value: string): string | null {
  return value === "" ? null : value;
}
