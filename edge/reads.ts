import type { Charge } from "../gen/tripe/billing/v1/charge_pb.ts";
import type { Customer } from "../gen/tripe/billing/v1/customer_pb.ts";
import type { Invoice } from "../gen/tripe/billing/v1/invoice_pb.ts";
import type { LedgerTransfer } from "../gen/tripe/billing/v1/ledger_pb.ts";
import type { PaymentMethod } from "../gen/tripe/billing/v1/payment_method_pb.ts";
import type { Price, Product } from "../gen/tripe/billing/v1/product_pb.ts";
import type { Subscription } from "../gen/tripe/billing/v1/subscription_pb.ts";
import { assert } from "../services/_runtime/errors.ts";
import type { EdgeClients } from "./clients.ts";

/**
 * Reads of one request by id: each noun once, however many objects of a list show it. An empty id is nobody and reads
 * as undefined. For ids that stand in Tripe's own objects: an unknown one is a fault, not the client's slip.
 */
export interface Reads {
  charge(id: string): Promise<Charge | undefined>;
  customer(id: string): Promise<Customer | undefined>;
  invoice(id: string): Promise<Invoice | undefined>;
  ledgerTransfer(id: string): Promise<LedgerTransfer | undefined>;
  paymentMethod(id: string): Promise<PaymentMethod | undefined>;
  price(id: string): Promise<Price | undefined>;
  product(id: string): Promise<Product | undefined>;
  subscription(id: string): Promise<Subscription | undefined>;
}

/** Makes the reads of one request, for one account. */
export function createReads({ reader }: Pick<EdgeClients, "reader">, accountId: string): Reads {
  return {
    charge: memoize(async (chargeId) => found((await reader.getCharge({ accountId, chargeId })).charge)),
    customer: memoize(async (customerId) => found((await reader.getCustomer({ accountId, customerId })).customer)),
    invoice: memoize(async (invoiceId) => found((await reader.getInvoice({ accountId, invoiceId })).invoice)),
    ledgerTransfer: memoize(async (ledgerTransferId) =>
      found((await reader.getLedgerTransfer({ accountId, ledgerTransferId })).ledgerTransfer),
    ),
    paymentMethod: memoize(async (paymentMethodId) =>
      found((await reader.getPaymentMethod({ accountId, paymentMethodId })).paymentMethod),
    ),
    price: memoize(async (priceId) => found((await reader.getPrice({ accountId, priceId })).price)),
    product: memoize(async (productId) => found((await reader.getProduct({ accountId, productId })).product)),
    subscription: memoize(async (subscriptionId) =>
      found((await reader.getSubscription({ accountId, subscriptionId })).subscription),
    ),
  };
}

function memoize<Noun>(read: (id: string) => Promise<Noun>): (id: string) => Promise<Noun | undefined> {
  // Made when something is read: most requests read nothing beside their own object.
  let known: Map<string, Promise<Noun>> | undefined;
  return async (id) => {
    if (id === "") return undefined;
    known ??= new Map();
    const reading = known.get(id) ?? read(id);
    known.set(id, reading);
    return reading;
  };
}

/** Takes a noun out of an answer, which the contract says is there. */
export function found<Noun>(noun: Noun | undefined): Noun {
  assert(noun !== undefined, "an answer holds what was asked for");
  return noun;
}
