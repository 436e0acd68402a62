import type Stripe from "stripe";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { PaymentMethod } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import { addressView, shippingView } from "./address.ts";
import { sourceView } from "./card.ts";
import { type DeletedView, deletedView } from "./deleted.ts";
import { expandable } from "./expandable.ts";
import type { ListView } from "./list.ts";
import { paymentMethodView } from "./payment-method.ts";
import { currencyOf, metadataOf, secondsOf, textOrNull } from "./scalars.ts";
import type { Wire } from "./wire.ts";

/** What of a customer was asked to be shown whole. `sources` is in no answer that did not ask for it. */
export interface CustomerExpansions {
  readonly default_source?: PaymentMethod | undefined;
  readonly "invoice_settings.default_payment_method"?: PaymentMethod | undefined;
  readonly sources?: ListView<Wire<Stripe.Card>> | undefined;
}

/**
 * Shows a customer, also one that was deleted, as an event of the deletion does. A customer has one default way to pay;
 * `isDefaultFromSource` says in which of the two places the public API shows it.
 */
export function customerView(customer: Customer, expansions: CustomerExpansions = {}): Wire<Stripe.Customer> {
  const { defaultPaymentMethodId: defaultId, isDefaultFromSource } = customer;
  const sources = expansions.sources;
  return {
    id: customer.customerId,
    object: "customer",
    address: customer.address === undefined ? null : addressView(customer.address),
    balance: 0,
    created: secondsOf(customer.createTime),
    currency: customer.currencyCode === "" ? null : currencyOf(customer.currencyCode),
    customer_account: null,
    default_source: expandable(isDefaultFromSource ? defaultId : "", expansions.default_source, sourceView),
    delinquent: false,
    description: textOrNull(customer.description),
    discount: null,
    email: textOrNull(customer.email),
    invoice_prefix: textOrNull(customer.invoicePrefix),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: expandable(
        isDefaultFromSource ? "" : defaultId,
        expansions["invoice_settings.default_payment_method"],
        paymentMethodView,
      ),
      footer: null,
      rendering_options: null,
    },
    livemode: customer.isLive,
    metadata: metadataOf(customer.metadata),
    name: textOrNull(customer.name),
    phone: textOrNull(customer.phone),
    preferred_locales: customer.preferredLocales,
    shipping: shippingView(customer.shipping),
    ...(sources === undefined ? {} : { sources }),
    tax_exempt: "none",
    test_clock: textOrNull(customer.testClockId),
  };
}

/** Shows a customer inside another object, or as the answer to a retrieve: of a deleted one only that it is gone. */
export function customerOrDeletedView(customer: Customer): Wire<Stripe.Customer> | DeletedView<"customer"> {
  return customer.deleteTime === undefined ? customerView(customer) : deletedView(customer.customerId, "customer");
}
