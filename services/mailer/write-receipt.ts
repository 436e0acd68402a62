import { Code } from "@connectrpc/connect";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { SendReceiptRequest } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { Mail } from "./compose.ts";
import { amountOf, cardOf, dayOf, oneLine } from "./words.ts";

/** Writes the receipt of a charge. Refuses one that has not succeeded (CHARGE_NOT_SUCCEEDED). */
export function writeReceipt({ seller, charge }: SendReceiptRequest): Mail {
  assert(seller !== undefined && charge !== undefined, "a request holds a seller and a charge");
  if (charge.state !== ChargeState.SUCCEEDED) {
    refuse(Code.FailedPrecondition, "CHARGE_NOT_SUCCEEDED", "only a charge that succeeded has a receipt", "charge");
  }
  const sender = oneLine(seller.name);
  // What was captured, where less was taken than had been held.
  const amount = amountOf(charge.amount && { ...charge.amount, amountMinor: charge.capturedMinor });
  return {
    seller,
    time: charge.settleTime ?? charge.createTime,
    attachments: [],
    letter: {
      subject: `Your receipt from ${sender}: ${amount}`,
      sender,
      headline: `${amount} paid`,
      paragraphs: [`Thank you. ${sender} has received your payment.`, charge.description],
      facts: [
        ["Amount paid", amount],
        ["Date paid", dayOf(charge.settleTime ?? charge.createTime)],
        ["Payment method", cardOf(charge.card)],
        ["Receipt number", charge.chargeId],
      ],
      link: undefined,
      questionsTo: oneLine(seller.email),
    },
  };
}
