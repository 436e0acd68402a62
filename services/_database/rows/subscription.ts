import { create } from "@bufbuild/protobuf";
import {
  type Subscription,
  type SubscriptionItem,
  SubscriptionItemSchema,
  SubscriptionSchema,
} from "../../../gen/tripe/billing/v1/subscription_pb.ts";
import { timestampOf } from "./fields.ts";
import { attachedDefault } from "./payment-method.ts";
import { type PriceRow, priceColumns, priceOf } from "./product.ts";
import { collectionMethods, subscriptionStates } from "./words.ts";

/** The columns of a subscription, from `subscription s` and `account a`. */
export const subscriptionColumns = `s.subscription_id, s.customer_id, s.state, s.currency_code, s.collection_method,
  s.days_until_due, ${attachedDefault("s")}, s.anchor_time, s.period_index, s.period_start_time, s.period_end_time,
  s.trial_start_time, s.trial_end_time, s.is_ending_with_period, s.cancel_time, s.end_time, s.latest_invoice_id,
  s.description, s.metadata, s.create_time, a.is_live`;

/** A row of `subscriptionColumns`. */
export interface SubscriptionRow {
  readonly subscription_id: string;
  readonly customer_id: string;
  readonly state: string;
  readonly currency_code: string;
  readonly collection_method: string;
  readonly days_until_due: number;
  readonly default_payment_method_id: string | null;
  readonly anchor_time: Date;
  readonly period_index: number;
  readonly period_start_time: Date;
  readonly period_end_time: Date;
  readonly trial_start_time: Date | null;
  readonly trial_end_time: Date | null;
  readonly is_ending_with_period: boolean;
  readonly cancel_time: Date | null;
  readonly end_time: Date | null;
  readonly latest_invoice_id: string | null;
  readonly description: string;
  readonly metadata: Record<string, string>;
  readonly create_time: Date;
  readonly is_live: boolean;
}

/** The subscription of a row, with its items. */
export function subscriptionOf(row: SubscriptionRow, items: readonly SubscriptionItemRow[]): Subscription {
  return create(SubscriptionSchema, {
    subscriptionId: row.subscription_id,
    customerId: row.customer_id,
    state: subscriptionStates.of(row.state),
    items: items.map(subscriptionItemOf),
    currencyCode: row.currency_code,
    collectionMethod: collectionMethods.of(row.collection_method),
    daysUntilDue: row.days_until_due,
    defaultPaymentMethodId: row.default_payment_method_id ?? "",
    anchorTime: timestampOf(row.anchor_time),
    periodIndex: row.period_index,
    periodStartTime: timestampOf(row.period_start_time),
    periodEndTime: timestampOf(row.period_end_time),
    trialStartTime: timestampOf(row.trial_start_time),
    trialEndTime: timestampOf(row.trial_end_time),
    isEndingWithPeriod: row.is_ending_with_period,
    cancelTime: timestampOf(row.cancel_time),
    endTime: timestampOf(row.end_time),
    latestInvoiceId: row.latest_invoice_id ?? "",
    description: row.description,
    metadata: row.metadata,
    createTime: timestampOf(row.create_time),
    isLive: row.is_live,
  });
}

/** The columns of a subscription's item, from `subscription_item i` and those of `priceColumns`. */
export const subscriptionItemColumns = `i.subscription_id, i.subscription_item_id, i.quantity,
  i.metadata as item_metadata, i.create_time as item_create_time, ${priceColumns}`;

/** A row of `subscriptionItemColumns`. */
export interface SubscriptionItemRow extends PriceRow {
  readonly subscription_id: string;
  readonly subscription_item_id: string;
  readonly quantity: bigint;
  readonly item_metadata: Record<string, string>;
  readonly item_create_time: Date;
}

function subscriptionItemOf(row: SubscriptionItemRow): SubscriptionItem {
  return create(SubscriptionItemSchema, {
    subscriptionItemId: row.subscription_item_id,
    price: priceOf(row),
    quantity: row.quantity,
    metadata: row.item_metadata,
    createTime: timestampOf(row.item_create_time),
  });
}
