import { Code } from "@connectrpc/connect";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import type { PaymentMethod } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type {
  AttachPaymentMethodRequest,
  CreatePaymentMethodRequest,
  CreateTokenRequest,
  DetachPaymentMethodRequest,
} from "../../gen/tripe/writer/v1/payment_methods_pb.ts";
import type { Query } from "../_database/connect.ts";
import { billingDetailsJson } from "../_database/rows/fields.ts";
import {
  type PaymentMethodRow,
  paymentMethodColumns,
  paymentMethodOf,
  type TokenRow,
  tokenColumns,
  tokenOf,
} from "../_database/rows/payment-method.ts";
import { checkResults } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { lockCustomer, refuseDeleted } from "./customer-lock.ts";
import { setDefault } from "./default-payment-method.ts";
import { changed, type EventDraft, told } from "./event-drafts.ts";
import { type Effect, once } from "./once.ts";
import { nounOf, snapshotOf } from "./snapshots.ts";

const INSERT = {
  name: "insert_payment_method",
  text: `insert into payment_method (account_id, payment_method_id, brand, last4, exp_month, exp_year, funding,
      country_code, fingerprint, cvc_check, verification_decline_reason, verification_response_code, sealed_card,
      billing_details, metadata, sealed_cvc, create_time)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, business_now($1))`,
};

const INSERT_TOKEN = {
  name: "insert_token",
  text: `insert into token (account_id, token_id, payment_method_id, create_time) values ($1, $2, $3, business_now($1))`,
};

const LOCK = {
  name: "lock_payment_method",
  text: `select ${paymentMethodColumns} from payment_method p join account a using (account_id)
    where p.account_id = $1 and p.payment_method_id = $2 for no key update of p`,
};

const LOCK_TOKEN = {
  name: "lock_token",
  text: `select ${tokenColumns} from token k join payment_method p using (account_id, payment_method_id)
    join account a using (account_id) where k.account_id = $1 and k.token_id = $2 for no key update of k`,
};

const ATTACH = {
  name: "attach_payment_method",
  text: `update payment_method set customer_id = $3 where account_id = $1 and payment_method_id = $2`,
};

const SPEND = {
  name: "spend_token",
  text: `update token set use_time = business_now($1) where account_id = $1 and token_id = $2`,
};

const FIND_OWNER = {
  name: "find_owner",
  text: `select customer_id from payment_method
    where account_id = $1 and payment_method_id = $2 and customer_id is not null`,
};

const DETACH = {
  name: "detach_payment_method",
  text: `with undone as (
      update customer set default_payment_method_id = null
      where account_id = $1 and customer_id = $3 and default_payment_method_id = $2
    )
    update payment_method set customer_id = null, detach_time = business_now($1, $3)
    where account_id = $1 and payment_method_id = $2`,
};

/** Customers are locked before their cards: nothing is attached meanwhile. */
const DETACH_ALL = {
  name: "detach_payment_methods",
  text: `with detached as (
      update payment_method set customer_id = null, detach_time = business_now($1, $2)
      where account_id = $1 and customer_id = $2
      returning *
    )
    select ${paymentMethodColumns} from detached p join account a using (account_id) order by p.payment_method_id`,
};

/** Stores a sealed card and the token that stands for it. */
export async function createToken(dependencies: WriterDependencies, request: CreateTokenRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, token, sealedCard, sealedCvc } = request;
    assert(token?.paymentMethod !== undefined, "a token comes with its payment method");
    await insert(query, { accountId, paymentMethod: token.paymentMethod, sealedCard, sealedCvc });
    await query(INSERT_TOKEN, [accountId, token.tokenId, token.paymentMethod.paymentMethodId]);
    const stored = tokenOf(await lockToken(query, { accountId, tokenId: token.tokenId }));
    return { answer: snapshotOf("token", stored), nounId: token.tokenId, events: [] };
  });
  return { token: nounOf(answer, "token"), isReplayed };
}

/** Stores a sealed card. It belongs to nobody until it is attached. */
export async function createPaymentMethod(dependencies: WriterDependencies, request: CreatePaymentMethodRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, paymentMethod, sealedCard, sealedCvc } = request;
    assert(paymentMethod !== undefined, "validation requires the payment method");
    await insert(query, { accountId, paymentMethod, sealedCard, sealedCvc });
    return effectOf(await lock(query, { accountId, paymentMethodId: paymentMethod.paymentMethodId }), []);
  });
  return { paymentMethod: nounOf(answer, "paymentMethod"), isReplayed };
}

/** Gives a payment method, or a token's, to a customer. Refuses as `attach` and `spendToken` do. */
export async function attachPaymentMethod(dependencies: WriterDependencies, request: AttachPaymentMethodRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const { accountId, customerId, tokenId } = request;
    const customer = await lockCustomer(query, { accountId, customerId });
    refuseDeleted(customer);
    const paymentMethodId = tokenId === "" ? request.paymentMethodId : await spendToken(query, { accountId, tokenId });
    const attached = await attach(query, { accountId, customerId, paymentMethodId });
    if (request.isDefault) {
      await setDefault(query, { accountId, customerId, defaultId: paymentMethodId, isFromSource: tokenId !== "" });
    }
    const events = [...attached, ...(await changeOfCustomer(query, accountId, customer))];
    return effectOf(await lock(query, { accountId, paymentMethodId }), events);
  });
  return { paymentMethod: nounOf(answer, "paymentMethod"), isReplayed };
}

/** Takes a payment method from its customer, for good. Refuses with PAYMENT_METHOD_NOT_ATTACHED one that has none. */
export async function detachPaymentMethod(dependencies: WriterDependencies, request: DetachPaymentMethodRequest) {
  const { answer, isReplayed } = await once(dependencies, request, async (query) => {
    const key = { accountId: request.accountId, paymentMethodId: request.paymentMethodId };
    // Customers are locked before their cards, everywhere: the other order would deadlock with an attachment.
    const [owner] = await query<{ customer_id: string }>(FIND_OWNER, [key.accountId, key.paymentMethodId]);
    const customer = owner && (await lockCustomer(query, { ...key, customerId: owner.customer_id }));
    const current = await lock(query, key);
    if (current.customerId === "") {
      const message = `the payment method ${key.paymentMethodId} is not attached to a customer`;
      refuse(Code.FailedPrecondition, "PAYMENT_METHOD_NOT_ATTACHED", message, "payment_method_id");
    }
    await query(DETACH, [key.accountId, key.paymentMethodId, current.customerId]);
    const detached = await lock(query, key);
    const events = customer === undefined ? [] : await changeOfCustomer(query, key.accountId, customer);
    return effectOf(detached, [told("payment_method.detached", "paymentMethod", detached), ...events]);
  });
  return { paymentMethod: nounOf(answer, "paymentMethod"), isReplayed };
}

/** Uses a token up and returns its payment method's id. Refuses TOKEN_NOT_FOUND and TOKEN_ALREADY_USED. */
export async function spendToken(query: Query, key: { accountId: string; tokenId: string }): Promise<string> {
  const row = await lockToken(query, key);
  if (row.use_time !== null) {
    refuse(Code.FailedPrecondition, "TOKEN_ALREADY_USED", `the token ${key.tokenId} was used already`, "token_id");
  }
  await query(SPEND, [key.accountId, key.tokenId]);
  return row.payment_method_id;
}

/**
 * Attaches a payment method, and says what is to be told; attached to this customer already, it stays so. Refuses PAYMENT_METHOD_NOT_FOUND,
 * PAYMENT_METHOD_ALREADY_ATTACHED (to another customer), PAYMENT_METHOD_DETACHED (it cannot be used again), and
 * CARD_DECLINED, with the bank's reason as the field, a card whose verification the bank declined; VERIFICATION_DUE, with the
 * payment method's id as the field, one that is to be verified first (verifications.ts).
 */
export async function attach(
  query: Query,
  { accountId, customerId, paymentMethodId }: { accountId: string; customerId: string; paymentMethodId: string },
): Promise<EventDraft[]> {
  const current = await lock(query, { accountId, paymentMethodId });
  if (current.customerId === customerId) return [];
  const field = "payment_method_id";
  if (current.customerId !== "") {
    const message = `the payment method ${paymentMethodId} is attached to another customer`;
    refuse(Code.FailedPrecondition, "PAYMENT_METHOD_ALREADY_ATTACHED", message, field);
  }
  if (current.detachTime !== undefined) {
    const message = `the payment method ${paymentMethodId} was detached and cannot be used again`;
    refuse(Code.FailedPrecondition, "PAYMENT_METHOD_DETACHED", message, field);
  }
  if (current.isVerificationDue) {
    const message = `the payment method ${paymentMethodId} is to be verified first`;
    refuse(Code.FailedPrecondition, "VERIFICATION_DUE", message, paymentMethodId);
  }
  if (current.verificationDecline !== undefined) {
    refuse(Code.FailedPrecondition, "CARD_DECLINED", "the bank declined the card", current.verificationDecline.reason);
  }
  await query(ATTACH, [accountId, paymentMethodId, customerId]);
  return [told("payment_method.attached", "paymentMethod", { ...current, customerId })];
}

/** Takes all payment methods from a customer whose row is held, for good, and says what is to be told. */
export async function detachAll(
  query: Query,
  { accountId, customerId }: { accountId: string; customerId: string },
): Promise<EventDraft[]> {
  const rows = await query<PaymentMethodRow>(DETACH_ALL, [accountId, customerId]);
  return rows.map((row) => told("payment_method.detached", "paymentMethod", paymentMethodOf(row)));
}

/** That a customer whose row is held is not what it was: its default came or went. */
async function changeOfCustomer(query: Query, accountId: string, before: Customer): Promise<EventDraft[]> {
  const after = await lockCustomer(query, { accountId, customerId: before.customerId });
  return changed("customer.updated", "customer", { before, after });
}

interface NewPaymentMethod {
  readonly accountId: string;
  readonly paymentMethod: PaymentMethod;
  readonly sealedCard: Uint8Array;
  readonly sealedCvc: Uint8Array;
}

async function insert(
  query: Query,
  { accountId, paymentMethod, sealedCard, sealedCvc }: NewPaymentMethod,
): Promise<void> {
  const { card, verificationDecline } = paymentMethod;
  assert(card !== undefined, "a payment method comes with its card");
  await query(INSERT, [
    accountId,
    paymentMethod.paymentMethodId,
    card.brand,
    card.last4,
    card.expMonth,
    card.expYear,
    card.funding,
    card.countryCode,
    card.fingerprint,
    checkResults.word(card.cvcCheck),
    verificationDecline?.reason ?? null,
    verificationDecline?.responseCode ?? null,
    sealedCard,
    billingDetailsJson(paymentMethod.billingDetails),
    JSON.stringify(paymentMethod.metadata),
    sealedCvc.length === 0 ? null : sealedCvc,
  ]);
}

async function lock(query: Query, key: { accountId: string; paymentMethodId: string }): Promise<PaymentMethod> {
  const [row] = await query<PaymentMethodRow>(LOCK, [key.accountId, key.paymentMethodId]);
  if (row === undefined) {
    const message = `no payment method ${key.paymentMethodId}`;
    refuse(Code.NotFound, "PAYMENT_METHOD_NOT_FOUND", message, "payment_method_id");
  }
  return paymentMethodOf(row);
}

async function lockToken(query: Query, key: { accountId: string; tokenId: string }): Promise<TokenRow> {
  const [row] = await query<TokenRow>(LOCK_TOKEN, [key.accountId, key.tokenId]);
  if (row === undefined) refuse(Code.NotFound, "TOKEN_NOT_FOUND", `no token ${key.tokenId}`, "token_id");
  return row;
}

function effectOf(paymentMethod: PaymentMethod, events: readonly EventDraft[]): Effect {
  return { answer: snapshotOf("paymentMethod", paymentMethod), nounId: paymentMethod.paymentMethodId, events };
}
