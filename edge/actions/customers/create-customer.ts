import type { Static } from "typebox";
import Type from "typebox";
import { randomBase62 } from "../../../services/_runtime/ids.ts";
import { paymentMethodIdOf, tokenCard, tokenIdOf } from "../../cards.ts";
import { clearable, expand, group, id, metadata, optional } from "../../decode/fields.ts";
import { type Mentions, mention, mentions } from "../../mentions.ts";
import { metadataOf } from "../../messages.ts";
import { parametersExclusive } from "../../parameter-problems.ts";
import { refused } from "../../problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { withVerification } from "../../verification.ts";
import { customerWords, readCustomerWords } from "./customer-params.ts";
import { customerExpandable, showCustomer } from "./show-customer.ts";

const params = group({
  ...customerWords,
  invoice_settings: optional(group({ default_payment_method: clearable(id) })),
  metadata,
  payment_method: optional(id),
  source: optional(Type.Union([id, tokenCard])),
  expand,
});

type Params = Static<typeof params>;

/** Makes a customer: bank.SealCard → writer.CreateToken, when a test card or a number came → writer.CreateCustomer. */
export const createCustomerRoute = defineRoute({
  method: "POST",
  path: "/v1/customers",
  operationId: "createCustomer",
  answers: "Customer",
  mayDecline: true,
  summary: "Make a customer, with a card when one is given.",
  params,
  expandable: customerExpandable,
  mentions: mentionsOf,
  async run(request, given) {
    const { accountId, clients, createId, identity } = request;
    const { customer } = readCustomerWords(given);
    const { tokenId, paymentMethodId, isDefault } = await readCards(request, given);
    const write = {
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      customer: {
        invoicePrefix: createInvoicePrefix(),
        ...customer,
        customerId: createId("cus_"),
        metadata: metadataOf(given.metadata),
        defaultPaymentMethodId: isDefault ? paymentMethodId : "",
      },
      tokenId,
      paymentMethodId,
    };
    const { customer: made, isReplayed } = await withVerification(request, () => clients.writer.createCustomer(write));
    return { body: await showCustomer(request, found(made)), isReplayed };
  },
  replay: replayOf("customer", showCustomer),
});

// 36^8: two customers of one account do not meet. Stripe's own have eight characters too.
const PREFIX_CHARS = 8;

function createInvoicePrefix(): string {
  return randomBase62(PREFIX_CHARS).toUpperCase();
}

interface Cards {
  readonly tokenId: string;
  readonly paymentMethodId: string;
  /** Whether the payment method pays what no other is named for; a token's always does. */
  readonly isDefault: boolean;
}

async function readCards(request: PublicRequest, given: Params): Promise<Cards> {
  const { source, payment_method: attached, invoice_settings: settings } = given;
  const asDefault = settings?.default_payment_method ?? undefined;
  if (source !== undefined) {
    if (attached !== undefined) throw parametersExclusive("source", "payment_method");
    if (asDefault !== undefined) throw parametersExclusive("source", "invoice_settings[default_payment_method]");
    return { tokenId: await tokenIdOf(request, source, "source"), paymentMethodId: "", isDefault: true };
  }
  const paymentMethod = attached ?? asDefault;
  if (paymentMethod === undefined) return { tokenId: "", paymentMethodId: "", isDefault: false };
  if (asDefault !== undefined && asDefault !== paymentMethod) throw defaultNotAttached();
  const paymentMethodId = await paymentMethodIdOf(request, paymentMethod);
  return { tokenId: "", paymentMethodId, isDefault: asDefault !== undefined };
}

function defaultNotAttached() {
  const message = "The default payment method of a new customer must be the one given as 'payment_method'.";
  return refused({ message, param: "invoice_settings[default_payment_method]" });
}

function mentionsOf(_: string, { source, payment_method, invoice_settings: settings }: Params): Mentions {
  const sourceId = typeof source === "string" ? source : undefined;
  return mentions({
    token: mention(sourceId, "source"),
    paymentMethod:
      mention(sourceId, "source") ??
      mention(payment_method, "payment_method") ??
      mention(settings?.default_payment_method, "invoice_settings[default_payment_method]"),
  });
}
