import type { addressView, billingDetailsView, shippingView } from "../../../services/_views/address.ts";
import { nothing, nullable, ref, shape, text } from "../shapes.ts";

/** A postal address. */
export const address = shape<ReturnType<typeof addressView>>({
  city: nullable(text()),
  country: nullable(text("A two-letter country code.")),
  line1: nullable(text()),
  line2: nullable(text()),
  postal_code: nullable(text()),
  state: nullable(text()),
});

/** Who pays. */
export const billingDetails = shape<ReturnType<typeof billingDetailsView>>({
  address: ref("Address"),
  email: nullable(text()),
  name: nullable(text()),
  phone: nullable(text()),
  tax_id: nothing,
});

/** Where goods go. */
export const shipping = shape<NonNullable<ReturnType<typeof shippingView>>>({
  address: ref("Address"),
  carrier: nullable(text()),
  name: text(),
  phone: nullable(text()),
  tracking_number: nullable(text()),
});
