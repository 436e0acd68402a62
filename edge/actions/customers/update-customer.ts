import type { Static } from "typebox";
import Type from "typebox";
import { tokenCard, tokenIdOf } from "../../cards.ts";
import { clearable, expand, group, id, metadata, optional } from "../../decode/fields.ts";
import { type Mentions, mention, mentions } from "../../mentions.ts";
import { metadataPatchOf } from "../../messages.ts";
import { parametersExclusive } from "../../parameter-problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, replayOf } from "../../route.ts";
import { withVerification } from "../../verification.ts";
import { customerWords, readCustomerWords } from "./customer-params.ts";
import { customerExpandable, showCustomer } from "./show-customer.ts";

const params = group({
  ...customerWords,
  default_source: optional(id),
  invoice_settings: optional(group({ default_payment_method: clearable(id) })),
  metadata,
  source: optional(Type.Union([id, tokenCard])),
  expand,
});

type Params = Static<typeof params>;

/** Changes a customer: bank.SealCard → writer.CreateToken, when a new card came → writer.UpdateCustomer. */
export const updateCustomerRoute = defineRoute({
  method: "POST",
  path: "/v1/customers/:id",
  operationId: "updateCustomer",
  answers: "Customer",
  mayDecline: true,
  summary: "Change a customer; empty values unset.",
  params,
  expandable: customerExpandable,
  mentions: mentionsOf,
  async run(request, given) {
    const { accountId, clients, identity, id: customerId } = request;
    const { customer, paths } = readCustomerWords(given);
    const chosen = readDefault(given);
    const tokenId = given.source === undefined ? "" : await tokenIdOf(request, given.source, "source");
    const metadataPatch = metadataPatchOf(given.metadata);
    const write = {
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      customer: { ...customer, customerId, ...chosen },
      updateMask: { paths: chosen === undefined ? paths : [...paths, "default_payment_method_id"] },
      tokenId,
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
    };
    const { customer: changed, isReplayed } = await withVerification(request, () =>
      clients.writer.updateCustomer(write),
    );
    return { body: await showCustomer(request, found(changed)), isReplayed };
  },
  replay: replayOf("customer", showCustomer),
});

// A customer has one default way to pay, and the public API two places to name it, and a third that brings a new one.
function readDefault({ default_source: source, invoice_settings: settings, source: fresh }: Params) {
  const paymentMethod = settings?.default_payment_method;
  if (source !== undefined && paymentMethod !== undefined) {
    throw parametersExclusive("default_source", "invoice_settings[default_payment_method]");
  }
  if (fresh !== undefined && source !== undefined) throw parametersExclusive("source", "default_source");
  if (source !== undefined) return { defaultPaymentMethodId: source, isDefaultFromSource: true };
  if (paymentMethod === undefined) return undefined;
  return { defaultPaymentMethodId: paymentMethod ?? "", isDefaultFromSource: false };
}

function mentionsOf(id: string, { default_source, invoice_settings: settings, source }: Params): Mentions {
  const sourceId = typeof source === "string" ? source : undefined;
  return mentions({
    customer: mention(id, "id"),
    token: mention(sourceId, "source"),
    paymentMethod:
      mention(sourceId, "source") ??
      mention(default_source, "source") ??
      mention(settings?.default_payment_method, "invoice_settings[default_payment_method]"),
  });
}
