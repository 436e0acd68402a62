import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Static } from "typebox";
import type { AddressSchema, BillingDetailsSchema, ShippingSchema } from "../gen/tripe/billing/v1/address_pb.ts";
import { type MetadataPatch, MetadataPatchSchema } from "../gen/tripe/billing/v1/metadata_pb.ts";
import type { AddressParams, BillingDetailsParams, metadata, ShippingParams } from "./decode/fields.ts";

// Public parameters made into parts of internal messages. Absent and unset are the same there: empty.

/** A text, or none. */
export function textOf(value: string | null | undefined): string {
  return value ?? "";
}

/** A postal address; undefined when it is unset or absent. */
export function addressOf(
  address: AddressParams | null | undefined,
): MessageInitShape<typeof AddressSchema> | undefined {
  if (address === undefined || address === null) return undefined;
  return {
    line1: textOf(address.line1),
    line2: textOf(address.line2),
    city: textOf(address.city),
    state: textOf(address.state),
    postalCode: textOf(address.postal_code),
    countryCode: textOf(address.country).toUpperCase(),
  };
}

/** Where goods go; undefined when it is unset or absent. */
export function shippingOf(
  shipping: ShippingParams | null | undefined,
): MessageInitShape<typeof ShippingSchema> | undefined {
  if (shipping === undefined || shipping === null) return undefined;
  const address = addressOf(shipping.address);
  return {
    name: shipping.name,
    phone: textOf(shipping.phone),
    carrier: textOf(shipping.carrier),
    trackingNumber: textOf(shipping.tracking_number),
    ...(address === undefined ? {} : { address }),
  };
}

/** Who pays. */
export function billingDetailsOf(details: BillingDetailsParams = {}): MessageInitShape<typeof BillingDetailsSchema> {
  const address = addressOf(details.address);
  return {
    name: textOf(details.name),
    email: textOf(details.email),
    phone: textOf(details.phone),
    ...(address === undefined ? {} : { address }),
  };
}

type MetadataParams = Static<typeof metadata>;

/** The metadata of a new object: what is unset was never there. */
export function metadataOf(params: MetadataParams | undefined): Record<string, string> {
  const entries = Object.entries(params ?? {}).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(entries);
}

/** A change of metadata; undefined when there is none. */
export function metadataPatchOf(params: MetadataParams | undefined): MetadataPatch | undefined {
  if (params === undefined) return undefined;
  if (params === null) return create(MetadataPatchSchema, { isCleared: true });
  const unset = Object.entries(params).flatMap(([name, value]) => (value === null ? [name] : []));
  return create(MetadataPatchSchema, { set: metadataOf(params), unset });
}
