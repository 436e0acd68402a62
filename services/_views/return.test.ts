import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DeclineSchema } from "../../gen/tripe/billing/v1/decline_pb.ts";
import { LedgerTransferKind } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { chargeView } from "./charge.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import { returnView } from "./return.ts";
import { golden, sampleCharge, sampleLedgerTransfer, sampleReturn } from "./testing.ts";

test("a return shows as in the golden file", () => {
  expect(JSON.stringify(returnView(sampleReturn()))).toBe(golden("return"));
});

test("a pending return waits for the bank, and has no reference yet", () => {
  const view = returnView(sampleReturn({ state: ReturnState.PENDING, networkReference: "", ledgerTransferId: "" }));
  expect(view).toMatchObject({ status: "pending", pending_reason: "processing", balance_transaction: null });
  expect(view.destination_details?.card).toMatchObject({ reference_status: "pending" });
});

test.each([
  ["lost_card", "lost_or_stolen_card"],
  ["expired_card", "expired_or_canceled_card"],
  ["insufficient_funds", "insufficient_funds"],
  ["do_not_honor", "declined"],
  ["", "unknown"],
])("a return failed for %o says %s", (reason, failureReason) => {
  const decline = create(DeclineSchema, { reason, responseCode: "05" });
  const view = returnView(sampleReturn({ state: ReturnState.FAILED, decline, networkReference: "" }));
  expect(view).toMatchObject({ status: "failed", failure_reason: failureReason });
});

test("a canceled return says so, and neither why it failed nor why it waits", () => {
  const view = returnView(sampleReturn({ state: ReturnState.CANCELED, reason: "" }));
  expect(view).toMatchObject({ status: "canceled", reason: null });
  expect(view).not.toHaveProperty("failure_reason");
  expect(view).not.toHaveProperty("pending_reason");
});

test("its charge and its booking are expanded when they were asked for", () => {
  const kind = LedgerTransferKind.RETURN;
  const transfer = sampleLedgerTransfer({ ledgerTransferId: "txn_2", kind, returnId: "re_1", grossMinor: -500n });
  const view = returnView(sampleReturn(), { charge: sampleCharge(), balance_transaction: transfer });
  expect(view.charge).toEqual(chargeView(sampleCharge()));
  expect(view.balance_transaction).toEqual(ledgerTransferView(transfer));
});
