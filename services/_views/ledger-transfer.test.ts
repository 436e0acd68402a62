import { expect, test } from "vitest";
import { LedgerTransferKind } from "../../gen/tripe/billing/v1/ledger_pb.ts";
import { chargeView } from "./charge.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import { returnView } from "./return.ts";
import { golden, sampleCharge, sampleLedgerTransfer, sampleReturn } from "./testing.ts";

test("the booking of a charge shows as in the golden file", () => {
  expect(JSON.stringify(ledgerTransferView(sampleLedgerTransfer()))).toBe(golden("ledger-transfer"));
});

test("the booking of a return is a refund of a negative amount, and names the return", () => {
  const kind = LedgerTransferKind.RETURN;
  const transfer = sampleLedgerTransfer({ kind, returnId: "re_1", grossMinor: -500n, feeMinor: 0n });
  expect(ledgerTransferView(transfer)).toMatchObject({
    type: "refund",
    reporting_category: "refund",
    amount: -500,
    fee: 0,
    fee_details: [],
    net: -500,
    source: "re_1",
  });
  expect(ledgerTransferView(transfer, { source: sampleReturn() }).source).toEqual(returnView(sampleReturn()));
});

test("the charge it books is expanded when it was asked for", () => {
  const view = ledgerTransferView(sampleLedgerTransfer(), { source: sampleCharge() });
  expect(view.source).toEqual(chargeView(sampleCharge()));
});
