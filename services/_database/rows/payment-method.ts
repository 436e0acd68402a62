import type { JsonValue } from "@bufbuild/protobuf";
import type { Card, PaymentMethod, Token } from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import { billingDetailsOf, declineOf, timestampOf } from "./fields.ts";
import { checkResults } from "./words.ts";

/** The columns of what may be shown of a card, from `payment_method p`. */
export const cardColumns = `p.brand as card_brand, p.last4 as card_last4, p.exp_month as card_exp_month,
  p.exp_year as card_exp_year, p.funding as card_funding, p.country_code as card_country_code,
  p.fingerprint as card_fingerprint, p.cvc_check as card_cvc_check`;

/**
 * The default payment method of a row of its own, an alias: null once it was detached, as nothing is charged to it any more
 * (begin-collection.ts). Stripe unsets it then; here the column stays what it was set to, and is not shown.
 */
export function attachedDefault(alias: string): string {
  return `(select z.payment_method_id from payment_method z where z.account_id = ${alias}.account_id
    and z.payment_method_id = ${alias}.default_payment_method_id and z.detach_time is null) as default_payment_method_id`;
}

/** The columns of a payment method, from `payment_method p` and `account a`. */
export const paymentMethodColumns = `p.payment_method_id, p.customer_id, p.billing_details, p.metadata, p.create_time,
  p.detach_time, p.verification_decline_reason, p.verification_response_code,
  p.sealed_cvc is not null as is_verification_due, a.is_live, ${cardColumns}`;

/** The columns of a token, from `token k`, `payment_method p` and `account a`. */
export const tokenColumns = `k.token_id, k.use_time, k.create_time as token_create_time, ${paymentMethodColumns}`;

/** A row of `cardColumns`. */
export interface CardRow {
  readonly card_brand: string;
  readonly card_last4: string;
  readonly card_exp_month: number;
  readonly card_exp_year: number;
  readonly card_funding: string;
  readonly card_country_code: string;
  readonly card_fingerprint: string;
  readonly card_cvc_check: string;
}

/** A row of `paymentMethodColumns`. */
export interface PaymentMethodRow extends CardRow {
  readonly payment_method_id: string;
  readonly customer_id: string | null;
  readonly billing_details: JsonValue;
  readonly metadata: Record<string, string>;
  readonly create_time: Date;
  readonly detach_time: Date | null;
  readonly verification_decline_reason: string | null;
  readonly verification_response_code: string | null;
  readonly is_verification_due: boolean;
  readonly is_live: boolean;
}

/** A row of `tokenColumns`. */
export interface TokenRow extends PaymentMethodRow {
  readonly token_id: string;
  readonly use_time: Date | null;
  readonly token_create_time: Date;
}

/** What may be shown of a row's card. */
export function cardOf(row: CardRow): Card {
  return {
    $typeName: "tripe.billing.v1.Card",
    brand: row.card_brand,
    last4: row.card_last4,
    expMonth: row.card_exp_month,
    expYear: row.card_exp_year,
    funding: row.card_funding,
    countryCode: row.card_country_code,
    fingerprint: row.card_fingerprint,
    cvcCheck: checkResults.of(row.card_cvc_check),
  };
}

/** The payment method of a row. */
export function paymentMethodOf(row: PaymentMethodRow): PaymentMethod {
  return {
    $typeName: "tripe.billing.v1.PaymentMethod",
    paymentMethodId: row.payment_method_id,
    customerId: row.customer_id ?? "",
    card: cardOf(row),
    billingDetails: billingDetailsOf(row.billing_details),
    metadata: row.metadata,
    createTime: timestampOf(row.create_time),
    detachTime: timestampOf(row.detach_time),
    verificationDecline: declineOf(row.verification_decline_reason, row.verification_response_code),
    isVerificationDue: row.is_verification_due,
    isLive: row.is_live,
  };
}

/** The token of a row. */
export function tokenOf(row: TokenRow): Token {
  return {
    $typeName: "tripe.billing.v1.Token",
    tokenId: row.token_id,
    paymentMethod: paymentMethodOf(row),
    useTime: timestampOf(row.use_time),
    createTime: timestampOf(row.token_create_time),
  };
}
