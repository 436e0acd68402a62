import { Code } from "@connectrpc/connect";
import { type Return, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { SendReturnNoticeRequest } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import type { Mail } from "./compose.ts";
import { amountOf, cardOf, dayOf, oneLine } from "./words.ts";

/**
 * Writes that money is on its way back. Refuses a return that has not succeeded (RETURN_NOT_SUCCEEDED) and one of another
 * charge (RETURN_OF_OTHER_CHARGE).
 */
export function writeReturnNotice({ seller, charge, return: record }: SendReturnNoticeRequest): Mail {
  assert(seller !== undefined && charge !== undefined && record !== undefined, "a request is whole");
  checkReturn(record, charge.chargeId);
  const sender = oneLine(seller.name);
  const amount = amountOf(record.amount);
  const card = cardOf(charge.card);
  return {
    seller,
    time: record.settleTime ?? record.createTime,
    attachments: [],
    letter: {
      subject: `${sender} has returned ${amount} to you`,
      sender,
      headline: `${amount} returned`,
      paragraphs: [
        `${sender} has returned ${amount} of your payment${card === "" ? "" : ` to your card, ${card}`}. Your bank may take 5 to 10 days to show it.`,
      ],
      facts: [
        ["Amount returned", amount],
        ["Date returned", dayOf(record.settleTime ?? record.createTime)],
        ["Original payment", amountOf(charge.amount)],
        ["Reference of the bank", record.networkReference],
        ["Return number", record.returnId],
      ],
      link: undefined,
      questionsTo: oneLine(seller.email),
    },
  };
}

function checkReturn({ state, chargeId }: Return, expectedChargeId: string): void {
  if (state !== ReturnState.SUCCEEDED) {
    refuse(Code.FailedPrecondition, "RETURN_NOT_SUCCEEDED", "only a return that succeeded is announced", "return");
  }
  if (chargeId !== expectedChargeId) {
    refuse(Code.InvalidArgument, "RETURN_OF_OTHER_CHARGE", "the return gives another charge back", "return.charge_id");
  }
}
