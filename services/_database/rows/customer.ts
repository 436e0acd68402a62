import type { JsonValue } from "@bufbuild/protobuf";
import type { Customer } from "../../../gen/tripe/billing/v1/customer_pb.ts";
import { addressOf, shippingOf, timestampOf } from "./fields.ts";

/** The columns of a customer, from `customer u` and `account a`. */
export const customerColumns = `u.customer_id, u.email, u.name, u.phone, u.description, u.address, u.shipping, u.metadata,
  u.default_payment_method_id, u.is_default_from_source, u.invoice_prefix, u.preferred_locales, u.test_clock_id,
  u.currency_code, u.create_time, u.delete_time, a.is_live`;

/** A row of `customerColumns`. */
export interface CustomerRow {
  readonly customer_id: string;
  readonly email: string;
  readonly name: string;
  readonly phone: string;
  readonly description: string;
  readonly address: JsonValue;
  readonly shipping: JsonValue;
  readonly metadata: Record<string, string>;
  readonly default_payment_method_id: string | null;
  readonly is_default_from_source: boolean;
  readonly invoice_prefix: string;
  readonly preferred_locales: string[];
  readonly test_clock_id: string | null;
  readonly currency_code: string | null;
  readonly create_time: Date;
  readonly delete_time: Date | null;
  readonly is_live: boolean;
}

/** The customer of a row. */
export function customerOf(row: CustomerRow): Customer {
  return {
    $typeName: "tripe.billing.v1.Customer",
    customerId: row.customer_id,
    email: row.email,
    name: row.name,
    phone: row.phone,
    description: row.description,
    address: addressOf(row.address),
    shipping: shippingOf(row.shipping),
    metadata: row.metadata,
    defaultPaymentMethodId: row.default_payment_method_id ?? "",
    isDefaultFromSource: row.is_default_from_source,
    invoicePrefix: row.invoice_prefix,
    preferredLocales: row.preferred_locales,
    testClockId: row.test_clock_id ?? "",
    currencyCode: row.currency_code ?? "",
    createTime: timestampOf(row.create_time),
    deleteTime: timestampOf(row.delete_time),
    isLive: row.is_live,
  };
}
