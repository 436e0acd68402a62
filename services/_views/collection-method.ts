import { CollectionMethod } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { wordOf } from "./scalars.ts";

/** The public word for how invoices are paid. Stops at an unknown one. */
export function collectionMethodOf(method: CollectionMethod): "charge_automatically" | "send_invoice" {
  return wordOf(words, method);
}

const words = {
  [CollectionMethod.CHARGE_AUTOMATICALLY]: "charge_automatically",
  [CollectionMethod.SEND_INVOICE]: "send_invoice",
} as const;
