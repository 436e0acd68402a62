import type { Static } from "typebox";
import { clearable, email, expand, group, id, metadata, optional, shipping, text } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { metadataPatchOf, shippingOf, textOf } from "../../messages.ts";
import { found } from "../../reads.ts";
import { defineRoute } from "../../route.ts";
import { chargeExpandable, showCharge } from "./show-charge.ts";

const params = group({
  customer: optional(id),
  description: clearable(text(5_000)),
  metadata,
  receipt_email: clearable(email()),
  shipping: optional(shipping),
  transfer_group: optional(text(500)),
  expand,
});

/** Changes the words of a charge: writer.UpdateCharge. */
export const updateChargeRoute = defineRoute({
  method: "POST",
  path: "/v1/charges/:id",
  operationId: "updateCharge",
  answers: "Charge",
  summary: "Change the words of a charge; empty values unset.",
  params,
  expandable: chargeExpandable,
  mentions: (given, { customer }) =>
    mentions({ charge: mention(given, "id"), customer: mention(customer, "customer") }),
  async run(request, given) {
    const { accountId, clients, identity, id: chargeId } = request;
    const metadataPatch = metadataPatchOf(given.metadata);
    const { charge, isReplayed } = await clients.writer.updateCharge({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      charge: { chargeId, ...wordsOf(given) },
      updateMask: { paths: pathsOf(given) },
      ...(metadataPatch === undefined ? {} : { metadataPatch }),
    });
    return { body: await showCharge(request, found(charge)), isReplayed };
  },
});

// The internal mask names fields; public and internal names are the same but for the customer's.
const paths = {
  description: "description",
  receipt_email: "receipt_email",
  shipping: "shipping",
  transfer_group: "transfer_group",
  customer: "customer_id",
};

function pathsOf(given: Static<typeof params>): string[] {
  return Object.entries(paths).flatMap(([name, path]) => (Object.hasOwn(given, name) ? [path] : []));
}

function wordsOf(given: Static<typeof params>) {
  const shippingTo = shippingOf(given.shipping);
  return {
    customerId: given.customer ?? "",
    description: textOf(given.description),
    receiptEmail: textOf(given.receipt_email),
    transferGroup: textOf(given.transfer_group),
    ...(shippingTo === undefined ? {} : { shipping: shippingTo }),
  };
}
