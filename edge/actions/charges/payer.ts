import type { Card } from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { GetPayerResponse } from "../../../gen/tripe/reader/v1/reader_service_pb.ts";
import { type SourceParam, testCardOf, tokenIdOf } from "../../cards.ts";
import { type Mentions, mention, mentions } from "../../mentions.ts";
import { parametersExclusive } from "../../parameter-problems.ts";
import { cardInvalid, cardNotLinked, customerWithoutCard, payerMissing, resourceMissing } from "../../problems.ts";
import type { PublicRequest } from "../../route.ts";

/** Whom a request wants charged, as given. */
export interface PayerParams {
  readonly customer?: string;
  readonly payment_method?: string;
  readonly source?: SourceParam;
}

/** Whom a request wants charged, by Tripe's ids; empty where it does not say. */
export interface Payment {
  readonly customerId: string;
  readonly paymentMethodId: string;
  readonly tokenId: string;
  /** Whether the card came in the older face of the API; undefined when it is the customer's default. */
  readonly isFromSource: boolean | undefined;
}

/** Reads whom to charge. A test card's name, and a card itself, become a token first. */
export async function readPayment(request: PublicRequest, given: PayerParams): Promise<Payment> {
  const { customer: customerId = "", payment_method: paymentMethod, source } = given;
  if (source !== undefined && paymentMethod !== undefined) throw parametersExclusive("source", "payment_method");
  const param = source === undefined ? "payment_method" : "source";
  const card = source ?? paymentMethod;
  if (card === undefined) {
    if (customerId === "") throw payerMissing();
    return { customerId, paymentMethodId: "", tokenId: "", isFromSource: undefined };
  }
  const isFromSource = source !== undefined;
  const isStored = typeof card === "string" && !card.startsWith("tok_") && testCardOf(request, card) === undefined;
  if (isStored) return { customerId, paymentMethodId: card, tokenId: "", isFromSource };
  // A token stands for a card that is nobody's yet: a customer is charged by a card of its own.
  if (customerId !== "") throw cardNotLinked({ customerId, cardId: idOf(card), param });
  return { customerId, paymentMethodId: "", tokenId: await tokenIdOf(request, card, param), isFromSource };
}

/** Refuses a payer that cannot be charged: one that is not there, is another customer's, or has no card or an expired one. */
export function judgePayer(given: PayerParams, payment: Payment, payer: GetPayerResponse): void {
  const { customerId, paymentMethodId, tokenId } = payment;
  const { customer, paymentMethod, token } = payer;
  const param = given.source === undefined ? "payment_method" : "source";
  if (customerId !== "" && (customer === undefined || customer.deleteTime !== undefined)) {
    throw resourceMissing({ noun: "customer", id: customerId, param: "customer" });
  }
  if (tokenId !== "" && token === undefined) throw resourceMissing({ noun: "token", id: tokenId, param });
  if (paymentMethod === undefined) {
    if (paymentMethodId === "") throw customerWithoutCard();
    if (customerId !== "") throw cardNotLinked({ customerId, cardId: paymentMethodId, param });
    throw resourceMissing({
      noun: given.source === undefined ? "PaymentMethod" : "source",
      id: paymentMethodId,
      param,
    });
  }
  const isAnothers = tokenId === "" && paymentMethod.customerId !== customerId;
  if (isAnothers && paymentMethodId !== "") throw cardNotLinked({ customerId, cardId: paymentMethodId, param });
  if (isExpired(paymentMethod.card, payer)) throw cardInvalid("expired_card");
}

// A card is good through the end of its month, in the time its account lives in.
function isExpired(card: Card | undefined, { businessTime }: GetPayerResponse): boolean {
  if (card === undefined || businessTime === undefined) return false;
  const endMs = Date.UTC(card.expYear, card.expMonth);
  return Number(businessTime.seconds) * 1_000 >= endMs;
}

/** Where in a charge's request ids stood. */
export function mentionsOfPayer({ customer, payment_method, source }: PayerParams): Mentions {
  const cardMention =
    typeof source === "string" ? mention(source, "source") : mention(payment_method, "payment_method");
  return mentions({ customer: mention(customer, "customer"), paymentMethod: cardMention, token: cardMention });
}

function idOf(card: SourceParam): string {
  return typeof card === "string" ? card : "card";
}
