import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Static } from "typebox";
import type { SealCardResponse } from "../gen/tripe/bank/v1/bank_service_pb.ts";
import type { BillingDetailsSchema } from "../gen/tripe/billing/v1/address_pb.ts";
import type { PaymentMethod, PaymentMethodSchema, Token } from "../gen/tripe/billing/v1/payment_method_pb.ts";
import { cardNumber, choice, clearable, formed, group, integer, optional, text } from "./decode/fields.ts";
import { billingDetailsOf } from "./messages.ts";
import { cardNumberNotAllowed, httpsRequired, tooManyCards } from "./problems.ts";
import { found } from "./reads.ts";
import type { PublicRequest } from "./route.ts";
import { testCardNumber } from "./test-cards.ts";

/** A card as its holder reads it, in a form or in JSON. What is wrong with it, the bank service says. */
export const cardFields = {
  number: cardNumber(),
  exp_month: integer({ minimum: -2_147_483_648, maximum: 2_147_483_647 }),
  exp_year: integer({ minimum: -2_147_483_648, maximum: 2_147_483_647 }),
  cvc: clearable(text(8)),
};

/** The card of a token or a source: with its holder's name and address. */
export const tokenCard = group(
  {
    ...cardFields,
    object: optional(choice(["card"])),
    name: clearable(text(500)),
    address_line1: clearable(text(500)),
    address_line2: clearable(text(500)),
    address_city: clearable(text(500)),
    address_state: clearable(text(500)),
    address_zip: clearable(text(100)),
    address_country: clearable(formed(2, "^[A-Za-z]{2}$", "a two-letter country code")),
  },
  { "x-ignored": { currency: "It is for debit cards that are paid out to. Stripe uses it for no other card either." } },
);

/** A card with its holder, on its way to be sealed. It lives as long as the request. */
export interface RawCard {
  readonly number: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly cvc: string;
  /** Whether it is a test card that was named instead of typed. */
  readonly isTestCard?: boolean;
  readonly billingDetails: MessageInitShape<typeof BillingDetailsSchema>;
}

/** Reads a token's card. */
export function rawCardOf(card: Static<typeof tokenCard>): RawCard {
  return {
    number: card.number,
    expMonth: card.exp_month,
    expYear: card.exp_year,
    cvc: card.cvc ?? "",
    billingDetails: billingDetailsOf({
      name: card.name ?? null,
      address: {
        line1: card.address_line1 ?? null,
        line2: card.address_line2 ?? null,
        city: card.address_city ?? null,
        state: card.address_state ?? null,
        postal_code: card.address_zip ?? null,
        country: card.address_country ?? null,
      },
    }),
  };
}

/** The test card of a name such as "tok_visa"; undefined for other ids, and for every id in a live account. */
export function testCardOf(
  { account, clock }: Pick<PublicRequest, "account" | "clock">,
  name: string,
): RawCard | undefined {
  const number = account.isLive ? undefined : testCardNumber(name);
  if (number === undefined) return undefined;
  return {
    number,
    isTestCard: true,
    expMonth: 12,
    // Some years ahead: it expires in no test.
    expYear: new Date(clock.nowMs()).getUTCFullYear() + 4,
    // American Express has four digits on its face.
    cvc: number.startsWith("37") ? "1234" : "123",
    billingDetails: {},
  };
}

/** Seals a card and stores it with a token that stands for it, as the write of that request id. */
export async function createToken(
  request: PublicRequest,
  { card, requestId }: { card: RawCard; requestId: string },
): Promise<{ token: Token; isReplayed: boolean }> {
  const { accountId, clients, createId, identity } = request;
  const paymentMethodId = createId("card_");
  const sealed = await seal(request, card, paymentMethodId);
  const { token, isReplayed } = await clients.writer.createToken({
    accountId,
    requestId,
    requestDigest: identity.digest,
    token: { tokenId: createId("tok_"), paymentMethod: paymentMethodOf(paymentMethodId, card, sealed) },
    sealedCard: sealed.sealedCard,
    sealedCvc: sealed.sealedCvc,
  });
  return { token: found(token), isReplayed };
}

/** Seals a card and stores it as a payment method that belongs to nobody yet, as the write of that request id. */
export async function createPaymentMethod(
  request: PublicRequest,
  { card, metadata = {}, requestId }: { card: RawCard; metadata?: Record<string, string>; requestId: string },
): Promise<{ paymentMethod: PaymentMethod; isReplayed: boolean }> {
  const { accountId, clients, createId, identity } = request;
  const paymentMethodId = createId("pm_");
  const sealed = await seal(request, card, paymentMethodId);
  const { paymentMethod, isReplayed } = await clients.writer.createPaymentMethod({
    accountId,
    requestId,
    requestDigest: identity.digest,
    paymentMethod: { ...paymentMethodOf(paymentMethodId, card, sealed), metadata },
    sealedCard: sealed.sealedCard,
    sealedCvc: sealed.sealedCvc,
  });
  return { paymentMethod: found(paymentMethod), isReplayed };
}

/** What a `source` parameter may be: a token's id, a card's, or in the sandbox a card itself. */
export type SourceParam = string | Static<typeof tokenCard>;

/** Finds the token of a source; makes one, as the action's first write, of a test card's name and of a card itself. */
export async function tokenIdOf(request: PublicRequest, source: SourceParam, param: string): Promise<string> {
  const card = typeof source === "string" ? testCardOf(request, source) : sandboxCard(request, source, param);
  if (card === undefined) return String(source);
  const { token } = await createToken(request, { card, requestId: request.identity.step(1) });
  return token.tokenId;
}

/** Finds a payment method's id; makes a payment method, as the action's first write, of a test card's name. */
export async function paymentMethodIdOf(request: PublicRequest, id: string): Promise<string> {
  const card = testCardOf(request, id);
  if (card === undefined) return id;
  const { paymentMethod } = await createPaymentMethod(request, { card, requestId: request.identity.step(1) });
  return paymentMethod.paymentMethodId;
}

// In a live account numbers are given once, to /v1/tokens or /v1/payment_methods, and to nothing else.
function sandboxCard({ account }: PublicRequest, source: Static<typeof tokenCard>, param: string): RawCard {
  if (account.isLive) throw cardNumberNotAllowed(param);
  return rawCardOf(source);
}

// A page's card is verified at the bank only when the merchant uses it, so that pages are of no use to try cards.
function seal(
  { account, accountId, browser, clients, isPrivate }: PublicRequest,
  { number, expMonth, expYear, cvc, isTestCard = false }: RawCard,
  paymentMethodId: string,
): Promise<SealCardResponse> {
  if (!isTestCard && !isPrivate) throw httpsRequired("Card numbers");
  if (browser?.countCard() === false) throw tooManyCards();
  const card = { number, expMonth, expYear, cvc };
  const { acceptor } = account;
  const isVerificationDeferred = browser !== undefined;
  return clients.bank.sealCard({
    ...{ accountId, paymentMethodId, card, isVerificationDeferred },
    ...(acceptor && { acceptor }),
  });
}

function paymentMethodOf(
  paymentMethodId: string,
  { billingDetails }: RawCard,
  { card, verificationDecline }: SealCardResponse,
): MessageInitShape<typeof PaymentMethodSchema> {
  return {
    paymentMethodId,
    card: found(card),
    billingDetails,
    ...(verificationDecline === undefined ? {} : { verificationDecline }),
  };
}
