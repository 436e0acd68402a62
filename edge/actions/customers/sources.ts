import Type from "typebox";
import { sourceView } from "../../../services/_views/card.ts";
import { listView } from "../../../services/_views/list.ts";
import { tokenCard, tokenIdOf } from "../../cards.ts";
import { choice, expand, group, id, optional, paging } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { cursorMention, pageRequestOf } from "../../paging.ts";
import { found } from "../../reads.ts";
import { defineRoute, replayOf } from "../../route.ts";
import { withVerification } from "../../verification.ts";

const createSourceRoute = defineRoute({
  method: "POST",
  path: "/v1/customers/:id/sources",
  operationId: "createCustomerSource",
  answers: "Card",
  mayDecline: true,
  needsBank: true,
  summary: "Give a customer a card; the first becomes its default source.",
  params: group({ source: Type.Union([id, tokenCard]), expand }),
  expandable: [],
  mentions: (given, { source }) =>
    mentions({
      customer: mention(given, "id"),
      token: mention(typeof source === "string" ? source : "", "source"),
      paymentMethod: mention(typeof source === "string" ? source : "", "source"),
    }),
  async run(request, { source }) {
    const { accountId, clients, identity } = request;
    // Sealing the card and asking whether it is the customer's first do not wait for each other.
    const [tokenId, { customer }] = await Promise.all([
      tokenIdOf(request, source, "source"),
      clients.reader.getCustomer({ accountId, customerId: request.id }),
    ]);
    const write = {
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      customerId: request.id,
      tokenId,
      isDefault: found(customer).defaultPaymentMethodId === "",
    };
    const { paymentMethod, isReplayed } = await withVerification(request, () =>
      clients.writer.attachPaymentMethod(write),
    );
    return { body: sourceView(found(paymentMethod)), isReplayed };
  },
  replay: replayOf("paymentMethod", (_, made) => sourceView(made)),
});

const listSourcesRoute = defineRoute({
  method: "GET",
  path: "/v1/customers/:id/sources",
  operationId: "listCustomerSources",
  answers: "Card",
  summary: "List a customer's cards, newest first.",
  params: group({ object: optional(choice(["card"])), ...paging }),
  expandable: [],
  isList: true,
  mentions: (given, paged) => mentions({ customer: mention(given, "id"), paymentMethod: cursorMention(paged) }),
  async run({ accountId, clients, id: customerId, reads }, paged) {
    const [page] = await Promise.all([
      clients.reader.listPaymentMethods({ accountId, customerId, ...pageRequestOf(paged) }),
      reads.customer(customerId),
    ]);
    const data = page.paymentMethods.map(sourceView);
    return { body: listView({ url: `/v1/customers/${customerId}/sources`, data, hasMore: page.nextPageToken !== "" }) };
  },
});

/** The routes of a customer's cards, as the older face of the API has them. */
export const sourceRoutes = [createSourceRoute, listSourcesRoute];
