import type { JsonValue } from "@bufbuild/protobuf";
import type { Charge } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { billingDetailsOf, declineOf, shippingOf, timestampOf } from "./fields.ts";
import { type CardRow, cardColumns, cardOf } from "./payment-method.ts";
import { chargeStates } from "./words.ts";

/**
 * The columns of a charge, from `charge c`, `payment_method p` and `account a`. The card is the payment method's own:
 * nothing that is shown of it changes once it is sealed.
 */
export const chargeColumns = `c.charge_id, c.state, c.amount_minor, c.currency_code, c.captured_minor, c.returned_minor,
  c.customer_id, c.payment_method_id, c.is_from_source, c.decline_reason, c.response_code, c.description, c.metadata,
  c.receipt_email, c.statement_descriptor, c.statement_descriptor_suffix, c.transfer_group, c.shipping,
  c.authorization_code, c.ledger_transfer_id, c.invoice_id, c.is_held,
  c.capture_before_time, c.release_time, c.create_time, c.settle_time, p.billing_details, a.is_live, ${cardColumns}`;

/** What `chargeColumns` are read from, after `charge c`. */
export const chargeJoins = `join payment_method p on p.account_id = c.account_id and p.payment_method_id = c.payment_method_id
  join account a on a.account_id = c.account_id`;

/** A row of `chargeColumns`. */
export interface ChargeRow extends CardRow {
  readonly charge_id: string;
  readonly state: string;
  readonly amount_minor: bigint;
  readonly currency_code: string;
  readonly captured_minor: bigint;
  readonly returned_minor: bigint;
  readonly customer_id: string | null;
  readonly payment_method_id: string;
  readonly is_from_source: boolean;
  readonly decline_reason: string | null;
  readonly response_code: string | null;
  readonly description: string;
  readonly metadata: Record<string, string>;
  readonly receipt_email: string;
  readonly statement_descriptor: string;
  readonly statement_descriptor_suffix: string;
  readonly transfer_group: string;
  readonly shipping: JsonValue;
  readonly authorization_code: string;
  readonly ledger_transfer_id: string | null;
  readonly invoice_id: string | null;
  readonly is_held: boolean;
  readonly capture_before_time: Date | null;
  readonly release_time: Date | null;
  readonly create_time: Date;
  readonly settle_time: Date | null;
  readonly billing_details: JsonValue;
  readonly is_live: boolean;
}

/** The charge of a row. A literal, as messages of proto3 are plain objects: `create` goes through a list of the fields, at six times the time. */
export function chargeOf(row: ChargeRow): Charge {
  return {
    $typeName: "tripe.billing.v1.Charge",
    chargeId: row.charge_id,
    amount: { $typeName: "tripe.type.v1.Money", amountMinor: row.amount_minor, currencyCode: row.currency_code },
    capturedMinor: row.captured_minor,
    returnedMinor: row.returned_minor,
    state: chargeStates.of(row.state),
    customerId: row.customer_id ?? "",
    paymentMethodId: row.payment_method_id,
    card: cardOf(row),
    billingDetails: billingDetailsOf(row.billing_details),
    decline: declineOf(row.decline_reason, row.response_code),
    description: row.description,
    metadata: row.metadata,
    receiptEmail: row.receipt_email,
    statementDescriptor: row.statement_descriptor,
    statementDescriptorSuffix: row.statement_descriptor_suffix,
    transferGroup: row.transfer_group,
    shipping: shippingOf(row.shipping),
    authorizationCode: row.authorization_code,
    ledgerTransferId: row.ledger_transfer_id ?? "",
    invoiceId: row.invoice_id ?? "",
    createTime: timestampOf(row.create_time),
    settleTime: timestampOf(row.settle_time),
    isLive: row.is_live,
    isFromSource: row.is_from_source,
    isHeld: row.is_held,
    captureBeforeTime: timestampOf(row.capture_before_time),
    releaseTime: timestampOf(row.release_time),
  };
}
