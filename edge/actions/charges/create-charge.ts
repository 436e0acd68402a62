import type { Static } from "typebox";
import Type from "typebox";
import { type Charge, ChargeState } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import type { GetPayerResponse } from "../../../gen/tripe/reader/v1/reader_service_pb.ts";
import { tokenCard } from "../../cards.ts";
import {
  clearable,
  descriptor,
  email,
  expand,
  group,
  id,
  integer,
  metadata,
  optional,
  shipping,
  text,
} from "../../decode/fields.ts";
import { metadataOf, shippingOf, textOf } from "../../messages.ts";
import type { Problem } from "../../problem.ts";
import { cardDeclined } from "../../problems.ts";
import { found } from "../../reads.ts";
import { defineRoute, type PublicRequest, replayOf } from "../../route.ts";
import { verifyPaymentMethod } from "../../verification.ts";
import { readAmount } from "./amount.ts";
import { judgePayer, mentionsOfPayer, type Payment, readPayment } from "./payer.ts";
import { chargeExpandable, showCharge } from "./show-charge.ts";

const params = group(
  {
    amount: integer({ minimum: 1 }),
    currency: text(20),
    // False only holds the money, for a capture within 7 days.
    capture: optional(Type.Boolean()),
    customer: optional(id),
    description: clearable(text(5_000)),
    metadata,
    payment_method: optional(id),
    receipt_email: clearable(email()),
    shipping: clearable(shipping),
    source: optional(Type.Union([id, tokenCard])),
    statement_descriptor: clearable(descriptor("whole")),
    statement_descriptor_suffix: clearable(descriptor("suffix")),
    transfer_group: clearable(text(500)),
    expand,
  },
  { "x-ignored": { radar_options: "They are hints for Stripe's fraud scores. Tripe scores no charge." } },
);

type Params = Static<typeof params>;

/** Takes money from a card: reader.GetPayer → transactions.CreateCharge (writer.BeginCharge → bank.Submit → writer.SettleCharge). */
export const createChargeRoute = defineRoute({
  method: "POST",
  path: "/v1/charges",
  operationId: "createCharge",
  answers: "Charge",
  mayDecline: true,
  needsBank: true,
  summary: "Charge a card, a token or a customer.",
  params,
  expandable: chargeExpandable,
  mentions: (_, given) => mentionsOfPayer(given),
  async run(request, given) {
    const { accountId, clients, identity } = request;
    const amount = readAmount(given);
    const payment = await readPayment(request, given);
    const { customerId, paymentMethodId, tokenId } = payment;
    const payer = await clients.reader.getPayer({ accountId, customerId, paymentMethodId, tokenId });
    judgePayer(given, payment, payer);
    if (payer.paymentMethod?.isVerificationDue === true) {
      await verifyPaymentMethod(request, payer.paymentMethod.paymentMethodId);
    }
    const isHeld = given.capture === false;
    const charge = { ...wordsOf(given), amount, isHeld, customerId, ...cardOf(payment, payer) };
    const { requestId, digest: requestDigest } = identity;
    const { charge: made, isReplayed } = await clients.transactions.createCharge({
      accountId,
      requestId,
      requestDigest,
      charge,
      tokenId,
    });
    return { body: await bodyOf(request, found(made)), isReplayed };
  },
  replay: replayOf("charge", bodyOf),
});

async function bodyOf(request: PublicRequest, charge: Charge): Promise<object> {
  return charge.state === ChargeState.FAILED ? declineOf(charge) : showCharge(request, charge);
}

function wordsOf(given: Params) {
  const shippingTo = shippingOf(given.shipping);
  return {
    description: textOf(given.description),
    metadata: metadataOf(given.metadata),
    receiptEmail: textOf(given.receipt_email),
    statementDescriptor: textOf(given.statement_descriptor),
    statementDescriptorSuffix: textOf(given.statement_descriptor_suffix),
    transferGroup: textOf(given.transfer_group),
    ...(shippingTo === undefined ? {} : { shipping: shippingTo }),
  };
}

function cardOf({ isFromSource }: Payment, { customer, paymentMethod }: GetPayerResponse) {
  return {
    paymentMethodId: paymentMethod?.paymentMethodId ?? "",
    // Named by nobody, the card is the customer's default, which may have come as a source.
    isFromSource: isFromSource ?? customer?.isDefaultFromSource ?? false,
  };
}

function declineOf({ chargeId, decline }: Charge): Problem {
  return cardDeclined(decline ?? { reason: "processing_error", responseCode: "" }, chargeId);
}
