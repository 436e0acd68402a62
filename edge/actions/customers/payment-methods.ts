import type { Static } from "typebox";
import { CheckResult, type PaymentMethod } from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import { listView } from "../../../services/_views/list.ts";
import { paymentMethodView } from "../../../services/_views/payment-method.ts";
import { cardFields, createPaymentMethod, paymentMethodIdOf, type RawCard, testCardOf } from "../../cards.ts";
import { billingDetails, choice, expand, group, id, metadata, optional, paging } from "../../decode/fields.ts";
import { mention, mentions } from "../../mentions.ts";
import { billingDetailsOf, metadataOf } from "../../messages.ts";
import { cursorMention, type PagingParams, pageRequestOf } from "../../paging.ts";
import { parameterMissing, parametersExclusive } from "../../parameter-problems.ts";
import { found } from "../../reads.ts";
import { type Answer, defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { withVerification } from "../../verification.ts";

const params = group({
  type: choice(["card"]),
  card: group({ ...partial(cardFields), token: optional(id) }),
  // There is no page that could show a saved card again, so the other words would promise something.
  allow_redisplay: optional(choice(["unspecified"])),
  billing_details: optional(billingDetails),
  metadata,
  expand,
});

// A card comes as its number or as a token, so that neither can be required by the schema.
function partial({ number, exp_month, exp_year, cvc }: typeof cardFields) {
  return { number: optional(number), exp_month: optional(exp_month), exp_year: optional(exp_year), cvc };
}

const createRoute = defineRoute({
  method: "POST",
  path: "/v1/payment_methods",
  operationId: "createPaymentMethod",
  answers: "PaymentMethod",
  mayDecline: true,
  needsBank: true,
  summary: "Make a payment method of a card: bank.SealCard → writer.CreatePaymentMethod.",
  params,
  expandable: ["customer"],
  scope: "publishable",
  mentions: (_, { card }) => mentions({ token: mention(card.token, "card[token]") }),
  async run(request, given) {
    const card = readCard(request, given);
    if (card === undefined) return showTokens(request, found(given.card.token));
    const { requestId } = request.identity;
    const made = await createPaymentMethod(request, { card, metadata: metadataOf(given.metadata), requestId });
    return { body: paymentMethodView(made.paymentMethod), isReplayed: made.isReplayed };
  },
});

// A token's card is a payment method already: it is shown, under its own id, and the token stays unused.
async function showTokens({ accountId, browser, clients }: PublicRequest, tokenId: string): Promise<Answer> {
  const { token } = await clients.reader.getToken({ accountId, tokenId });
  const paymentMethod = found(token?.paymentMethod);
  return { body: paymentMethodView(browser === undefined ? paymentMethod : asPagesKnow(paymentMethod)) };
}

// What the merchant has done with the card since, and what the bank said of it, is for no page.
function asPagesKnow({ card, ...rest }: PaymentMethod): PaymentMethod {
  return { ...rest, customerId: "", ...(card && { card: { ...card, cvcCheck: CheckResult.UNCHECKED } }) };
}

function readCard(request: PublicRequest, { card, billing_details }: Static<typeof params>): RawCard | undefined {
  const details = billingDetailsOf(billing_details);
  if (card.token !== undefined) {
    if (card.number !== undefined) throw parametersExclusive("card[number]", "card[token]");
    const test = testCardOf(request, card.token);
    return test === undefined ? undefined : { ...test, billingDetails: details };
  }
  if (card.number === undefined) throw parameterMissing("card[number]");
  if (card.exp_month === undefined) throw parameterMissing("card[exp_month]");
  if (card.exp_year === undefined) throw parameterMissing("card[exp_year]");
  return {
    number: card.number,
    expMonth: card.exp_month,
    expYear: card.exp_year,
    cvc: card.cvc ?? "",
    billingDetails: details,
  };
}

const retrieveRoute = defineRoute({
  method: "GET",
  path: "/v1/payment_methods/:id",
  operationId: "retrievePaymentMethod",
  answers: "PaymentMethod",
  summary: "Retrieve a payment method.",
  params: group({ expand }),
  expandable: ["customer"],
  mentions: (given) => ({ paymentMethod: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients } = request;
    const { paymentMethod } = await clients.reader.getPaymentMethod({ accountId, paymentMethodId: request.id });
    return { body: await showPaymentMethod(request, found(paymentMethod)) };
  },
});

const attachRoute = defineRoute({
  method: "POST",
  path: "/v1/payment_methods/:id/attach",
  operationId: "attachPaymentMethod",
  answers: "PaymentMethod",
  mayDecline: true,
  summary: "Attach a payment method to a customer; a test card's name makes a new one first.",
  params: group({ customer: id, expand }),
  expandable: ["customer"],
  mentions: (given, { customer }) =>
    mentions({ paymentMethod: mention(given, "id"), customer: mention(customer, "customer") }),
  async run(request, { customer }) {
    const { accountId, clients, identity } = request;
    const write = {
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      customerId: customer,
      paymentMethodId: await paymentMethodIdOf(request, request.id),
    };
    const { paymentMethod, isReplayed } = await withVerification(request, () =>
      clients.writer.attachPaymentMethod(write),
    );
    return { body: await showPaymentMethod(request, found(paymentMethod)), isReplayed };
  },
  replay: replayOf("paymentMethod", showPaymentMethod),
});

const detachRoute = defineRoute({
  method: "POST",
  path: "/v1/payment_methods/:id/detach",
  operationId: "detachPaymentMethod",
  answers: "PaymentMethod",
  summary: "Detach a payment method from its customer, for good.",
  params: group({ expand }),
  expandable: ["customer"],
  mentions: (given) => ({ paymentMethod: { id: given, param: "id" } }),
  async run(request) {
    const { accountId, clients, identity } = request;
    const { paymentMethod, isReplayed } = await clients.writer.detachPaymentMethod({
      accountId,
      requestId: identity.requestId,
      requestDigest: identity.digest,
      paymentMethodId: request.id,
    });
    return { body: await showPaymentMethod(request, found(paymentMethod)), isReplayed };
  },
  replay: replayOf("paymentMethod", showPaymentMethod),
});

const listRoute = defineRoute({
  method: "GET",
  path: "/v1/payment_methods",
  operationId: "listPaymentMethods",
  answers: "PaymentMethod",
  summary: "List a customer's payment methods, newest first.",
  params: group({ customer: id, type: optional(choice(["card"])), ...paging }),
  expandable: ["customer"],
  isList: true,
  mentions: (_, given) =>
    mentions({ customer: mention(given.customer, "customer"), paymentMethod: cursorMention(given) }),
  run: (request, given) => listPaymentMethods(request, given.customer, given, "/v1/payment_methods"),
});

const listOfCustomerRoute = defineRoute({
  method: "GET",
  path: "/v1/customers/:id/payment_methods",
  operationId: "listCustomerPaymentMethods",
  answers: "PaymentMethod",
  summary: "List a customer's payment methods, newest first.",
  params: group({ type: optional(choice(["card"])), ...paging }),
  expandable: ["customer"],
  isList: true,
  mentions: (given, paged) => mentions({ customer: mention(given, "id"), paymentMethod: cursorMention(paged) }),
  run: (request, given) =>
    listPaymentMethods(request, request.id, given, `/v1/customers/${request.id}/payment_methods`),
});

// The customer is read beside the list: an empty list and a customer that does not exist are different answers.
async function listPaymentMethods(
  request: PublicRequest,
  customerId: string,
  given: PagingParams,
  url: string,
): Promise<Answer> {
  const { accountId, clients, reads } = request;
  const [page] = await Promise.all([
    clients.reader.listPaymentMethods({ accountId, customerId, ...pageRequestOf(given) }),
    reads.customer(customerId),
  ]);
  const data = await Promise.all(page.paymentMethods.map((paymentMethod) => showPaymentMethod(request, paymentMethod)));
  return { body: listView({ url, data, hasMore: page.nextPageToken !== "" }) };
}

async function showPaymentMethod({ expand: wanted, reads }: PublicRequest, paymentMethod: PaymentMethod) {
  const customer = wanted.has("customer") ? await reads.customer(paymentMethod.customerId) : undefined;
  return paymentMethodView(paymentMethod, { customer });
}

/** The routes of payment methods. */
export const paymentMethodRoutes = [
  createRoute,
  retrieveRoute,
  attachRoute,
  detachRoute,
  listRoute,
  listOfCustomerRoute,
];
