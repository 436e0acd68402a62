import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { type Charge, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { chargeView } from "./charge.ts";
import { customerView } from "./customer.ts";
import { ledgerTransferView } from "./ledger-transfer.ts";
import { listView } from "./list.ts";
import { returnView } from "./return.ts";
import {
  golden,
  sampleCharge,
  sampleCustomer,
  sampleDeclinedCharge,
  sampleLedgerTransfer,
  sampleReturn,
} from "./testing.ts";

const pending: Partial<Charge> = {
  state: ChargeState.PENDING,
  capturedMinor: 0n,
  returnedMinor: 0n,
  ledgerTransferId: "",
  authorizationCode: "",
};

test("a succeeded charge by a source shows as in the golden file", () => {
  expect(JSON.stringify(chargeView(sampleCharge()))).toBe(golden("charge"));
});

test("a declined charge shows as in the golden file", () => {
  expect(JSON.stringify(chargeView(sampleDeclinedCharge("insufficient_funds", "51")))).toBe(golden("charge-declined"));
});

test("a pending charge is neither paid nor captured, and says nothing of an outcome", () => {
  expect(chargeView(sampleCharge(pending))).toMatchObject({
    status: "pending",
    paid: false,
    captured: false,
    refunded: false,
    outcome: null,
    failure_code: null,
    balance_transaction: null,
  });
});

test("an authorized charge is paid but not captured, and nothing of it counts as refunded", () => {
  const view = chargeView(sampleCharge({ capturedMinor: 0n, returnedMinor: 0n }));
  expect(view).toMatchObject({ status: "succeeded", paid: true, captured: false, amount_captured: 0, refunded: false });
});

test("what a hold let go counts as refunded: the rest of a captured part, and the whole of a release", () => {
  const part = { capturedMinor: 1500n, returnedMinor: 0n };
  expect(chargeView(sampleCharge(part))).toMatchObject({ captured: true, amount_refunded: 500, refunded: false });
  const released = { capturedMinor: 0n, returnedMinor: 0n, ledgerTransferId: "", releaseTime: timestampFromMs(0) };
  expect(chargeView(sampleCharge(released))).toMatchObject({
    status: "succeeded",
    captured: false,
    amount_refunded: 2000,
    refunded: true,
    balance_transaction: null,
  });
});

test("until when it can be captured is said of what is held, and of nothing else", () => {
  const held = {
    capturedMinor: 0n,
    returnedMinor: 0n,
    ledgerTransferId: "",
    captureBeforeTime: timestampFromMs(5_000),
  };
  const shown = (given: Partial<Charge>) =>
    chargeView(sampleCharge(given)).payment_method_details?.card?.capture_before;
  expect(shown(held)).toBe(5);
  expect(shown({ ...held, releaseTime: timestampFromMs(0) })).toBeUndefined();
  expect(shown({ ...held, capturedMinor: 1n })).toBeUndefined();
  expect(shown({})).toBeUndefined();
});

test("a charge is refunded when all that was captured is returned, and not before", () => {
  expect(chargeView(sampleCharge({ capturedMinor: 1500n, returnedMinor: 1499n })).refunded).toBe(false);
  expect(chargeView(sampleCharge({ capturedMinor: 1500n, returnedMinor: 1500n })).refunded).toBe(true);
});

test("a charge shows a source only when it was paid with one, and the payment method always", () => {
  const view = chargeView(sampleCharge({ isFromSource: false, paymentMethodId: "pm_1" }));
  expect(view).toMatchObject({ source: null, payment_method: "pm_1" });
  expect(view.payment_method_details?.card).toMatchObject({ brand: "visa", last4: "4242" });
});

test("a decline without a bank's code says that it was not sent to a bank", () => {
  expect(chargeView(sampleDeclinedCharge("processing_error", ""))).toMatchObject({
    failure_code: "processing_error",
    outcome: { network_status: "not_sent_to_network", type: "invalid", reason: "processing_error" },
  });
});

test("a failed charge without a decline still says why it failed", () => {
  const { decline: _, ...charge } = sampleDeclinedCharge("", "");
  expect(chargeView(charge)).toMatchObject({ failure_code: "processing_error", outcome: { reason: null } });
});

test("what was asked to be expanded stands whole where its id stood", () => {
  const customer = sampleCustomer();
  const transfer = sampleLedgerTransfer();
  const refunds = listView({ url: "/v1/charges/ch_1/refunds", data: [returnView(sampleReturn())], hasMore: false });
  const view = chargeView(sampleCharge(), { customer, balance_transaction: transfer, refunds });
  const { refunds: _, ...withoutRefunds } = view;
  expect(view.refunds).toEqual(refunds);
  expect(withoutRefunds).toEqual({
    ...chargeView(sampleCharge()),
    customer: customerView(customer),
    balance_transaction: ledgerTransferView(transfer),
  });
});

test("a deleted customer is expanded to no more than that", () => {
  const customer = sampleCustomer();
  const view = chargeView(sampleCharge(), { customer: { ...customer, deleteTime: customer.createTime } });
  expect(view.customer).toEqual({ id: "cus_1", object: "customer", deleted: true });
});

test("a charge is never shown with somebody else's customer", () => {
  const customer = sampleCustomer({ customerId: "cus_2" });
  expect(() => chargeView(sampleCharge(), { customer })).toThrow("cus_1 was expanded with cus_2");
});

test("a charge that contradicts itself is not shown", () => {
  expect(() => chargeView(sampleCharge({ returnedMinor: 2001n }))).toThrow("returns more");
  expect(() => chargeView(sampleCharge({ state: ChargeState.UNSPECIFIED }))).toThrow("no word");
  expect(() => chargeView(sampleCharge({ capturedMinor: 2n ** 53n }))).toThrow("2^53 - 1");
});
