import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type {
  CreateCustomerRequest,
  DeleteCustomerRequest,
  UpdateCustomerRequest,
} from "../../gen/tripe/writer/v1/customers_pb.ts";
import { addressJson, nullIfEmpty, shippingJson } from "../_database/rows/fields.ts";
import { assert } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { lockCustomer, refuseDeleted } from "./customer-lock.ts";
import { requireAttached, setDefault } from "./default-payment-method.ts";
import { endSubscription, lockLive } from "./end-subscription.ts";
import { changed, type EventDraft, isSame, told } from "./event-drafts.ts";
import { applyMask } from "./masks.ts";
import { patchMetadata } from "./metadata.ts";
import { type Effect, once } from "./once.ts";
import { attach, detachAll, spendToken } from "./payment-methods.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";

const INSERT = {
  name: "insert_customer",
  text: `insert into customer (account_id, customer_id, email, name, phone, description, address, shipping, metadata,
      invoice_prefix, preferred_locales, test_clock_id, create_time)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, business_now($1))`,
};

const UPDATE = {
  name: "update_customer",
  text: `update customer set email = $3, name = $4, phone = $5, description = $6, address = $7, shipping = $8,
      metadata = $9, invoice_prefix = $10, preferred_locales = $11, default_payment_method_id = $12,
      is_default_from_source = $13
    where account_id = $1 and customer_id = $2`,
};

const DELETE = {
  name: "delete_customer",
  text: `update customer set delete_time = business_now($1, $2), default_payment_method_id = null
    where account_id = $1 and customer_id = $2`,
};

/** Makes a customer, with its payment method attached. Refuses as `attach` and `spendToken` do. */
export async function createCustomer(dependencies: WriterDependencies, request: CreateCustomerRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId } = request;
    const customer = required(request.customer);
    await query(INSERT, [...valuesOf(accountId, customer), nullIfEmpty(customer.testClockId)]);
    const { customerId } = customer;
    const paymentMethodId =
      request.tokenId === ""
        ? request.paymentMethodId
        : await spendToken(query, { accountId, tokenId: request.tokenId });
    const attached = paymentMethodId === "" ? [] : await attach(query, { accountId, customerId, paymentMethodId });
    if (request.tokenId !== "" || customer.defaultPaymentMethodId !== "") {
      const defaultId = request.tokenId === "" ? customer.defaultPaymentMethodId : paymentMethodId;
      await setDefault(query, { accountId, customerId, defaultId, isFromSource: request.tokenId !== "" });
    }
    const made = await lockCustomer(query, { accountId, customerId });
    return effectOf(made, [told("customer.created", "customer", made), ...attached]);
  });
  return { customer: nounOf(answer, "customer"), isReplayed };
}

/** Changes a customer. Refuses an unknown field of the mask, a customer that is not there or deleted. */
export async function updateCustomer(dependencies: WriterDependencies, request: UpdateCustomerRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId } = request;
    const change = required(request.customer);
    const key = { accountId, customerId: change.customerId };
    const current = await lockCustomer(query, key);
    refuseDeleted(current);
    const next = applyMask(current, change, request.updateMask?.paths ?? [], UPDATABLE);
    next.metadata = patchMetadata(current.metadata, request.metadataPatch);
    if (next.defaultPaymentMethodId !== current.defaultPaymentMethodId) {
      next.isDefaultFromSource = change.isDefaultFromSource;
      await requireAttached(query, { ...key, paymentMethodId: next.defaultPaymentMethodId });
    }
    const attached: EventDraft[] = [];
    if (request.tokenId !== "") {
      next.defaultPaymentMethodId = await spendToken(query, { accountId, tokenId: request.tokenId });
      next.isDefaultFromSource = true;
      attached.push(...(await attach(query, { ...key, paymentMethodId: next.defaultPaymentMethodId })));
    }
    if (isSame("customer", current, next)) return effectOf(current, attached);
    await query(UPDATE, [
      ...valuesOf(accountId, next),
      nullIfEmpty(next.defaultPaymentMethodId),
      next.isDefaultFromSource,
    ]);
    return effectOf(next, [...attached, ...changed("customer.updated", "customer", { before: current, after: next })]);
  });
  return { customer: nounOf(answer, "customer"), isReplayed };
}

/**
 * Deletes a customer, detaches its payment methods and ends its subscriptions (docs.stripe.com/api/customers/delete), in
 * one commit. Refuses one that is not there or deleted already, and as `endSubscription` does.
 */
export async function deleteCustomer(dependencies: WriterDependencies, request: DeleteCustomerRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const key = { accountId: request.accountId, customerId: request.customerId };
    await lockLive(query, key);
    refuseDeleted(await lockCustomer(query, key));
    const events: EventDraft[] = [];
    // Read again: one may have been made until the customer was held, and none can be since.
    for (const subscription of await lockLive(query, key)) {
      events.push(...(await endSubscription(query, key.accountId, subscription, { isUnbilled: true })).events);
    }
    events.push(...(await detachAll(query, key)));
    await query(DELETE, [key.accountId, key.customerId]);
    const deleted = await lockCustomer(query, key);
    return effectOf(deleted, [...events, told("customer.deleted", "customer", deleted)]);
  });
  return { customer: nounOf(answer, "customer"), isReplayed };
}

const UPDATABLE = [
  "email",
  "name",
  "phone",
  "description",
  "address",
  "shipping",
  "preferred_locales",
  "invoice_prefix",
  "default_payment_method_id",
] as const;

function valuesOf(accountId: string, customer: Customer): unknown[] {
  return [
    accountId,
    customer.customerId,
    customer.email,
    customer.name,
    customer.phone,
    customer.description,
    addressJson(customer.address),
    shippingJson(customer.shipping),
    JSON.stringify(customer.metadata),
    customer.invoicePrefix,
    customer.preferredLocales,
  ];
}

function effectOf(customer: Customer, events: readonly EventDraft[]): Effect {
  return { answer: snapshotOf("customer", customer), nounId: customer.customerId, events };
}

function required(customer: Customer | undefined): Customer {
  assert(customer !== undefined, "validation requires the customer");
  return customer;
}
