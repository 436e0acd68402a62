import type Stripe from "stripe";
import type { Address, BillingDetails, Shipping } from "../../gen/tripe/billing/v1/address_pb.ts";
import { textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** Shows a postal address; every part that is empty is null. */
export function addressView(address: Address | undefined): Wire<Stripe.Address> {
  return {
    city: textOrNull(address?.city ?? ""),
    country: textOrNull(address?.countryCode ?? ""),
    line1: textOrNull(address?.line1 ?? ""),
    line2: textOrNull(address?.line2 ?? ""),
    postal_code: textOrNull(address?.postalCode ?? ""),
    state: textOrNull(address?.state ?? ""),
  };
}

/** Shows who pays. The address is always an object, as Stripe sends it: its parts are null when none was given. */
export function billingDetailsView(details: BillingDetails | undefined): Wire<Stripe.PaymentMethod.BillingDetails> {
  return {
    address: addressView(details?.address),
    email: textOrNull(details?.email ?? ""),
    name: textOrNull(details?.name ?? ""),
    phone: textOrNull(details?.phone ?? ""),
    tax_id: null,
  };
}

/** Shows where goods go; null when that was not given. */
export function shippingView(shipping: Shipping | undefined): Wire<Stripe.Customer.Shipping> | null {
  if (shipping === undefined) return null;
  return {
    address: addressView(shipping.address),
    carrier: textOrNull(shipping.carrier),
    name: shipping.name,
    phone: textOrNull(shipping.phone),
    tracking_number: textOrNull(shipping.trackingNumber),
  };
}
