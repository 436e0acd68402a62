import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Static } from "typebox";
import type { CustomerSchema } from "../../../gen/tripe/billing/v1/customer_pb.ts";
import { address, clearable, email, formed, group, list, optional, shipping, text } from "../../decode/fields.ts";
import { addressOf, shippingOf, textOf } from "../../messages.ts";

/** What may be said of a customer when it is made and ever after. */
export const customerWords = {
  address: clearable(address),
  description: clearable(text(5_000)),
  email: clearable(email()),
  invoice_prefix: optional(formed(12, "^[A-Z0-9]{3,12}$", "3 to 12 upper-case letters or digits")),
  name: clearable(text(256)),
  phone: clearable(text(20)),
  preferred_locales: optional(list(text(35), 20)),
  shipping: clearable(shipping),
};

const words = group(customerWords);

// Each public parameter, the field of the internal mask it changes, and what it becomes.
const fields: {
  readonly [Name in keyof typeof customerWords]: {
    readonly path: string;
    value(given: Static<typeof words>): MessageInitShape<typeof CustomerSchema>;
  };
} = {
  address: { path: "address", value: (given) => withDefined("address", addressOf(given.address)) },
  description: { path: "description", value: (given) => ({ description: textOf(given.description) }) },
  email: { path: "email", value: (given) => ({ email: textOf(given.email) }) },
  invoice_prefix: { path: "invoice_prefix", value: (given) => ({ invoicePrefix: textOf(given.invoice_prefix) }) },
  name: { path: "name", value: (given) => ({ name: textOf(given.name) }) },
  phone: { path: "phone", value: (given) => ({ phone: textOf(given.phone) }) },
  preferred_locales: {
    path: "preferred_locales",
    value: (given) => ({ preferredLocales: given.preferred_locales ?? [] }),
  },
  shipping: { path: "shipping", value: (given) => withDefined("shipping", shippingOf(given.shipping)) },
};

/** Makes what was said of a customer into the message's fields, and names those that were said for an update mask. */
export function readCustomerWords(given: Static<typeof words>): {
  customer: MessageInitShape<typeof CustomerSchema>;
  paths: string[];
} {
  const said = Object.entries(fields).filter(([name]) => Object.hasOwn(given, name));
  return {
    customer: Object.assign({}, ...said.map(([, field]) => field.value(given))),
    paths: said.map(([, field]) => field.path),
  };
}

function withDefined<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: Value });
}
