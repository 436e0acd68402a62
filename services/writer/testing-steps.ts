import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { type Attempt, OutcomeKind, type OutcomeSchema } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { Customer } from "../../gen/tripe/billing/v1/customer_pb.ts";
import { CheckResult } from "../../gen/tripe/billing/v1/payment_method_pb.ts";
import type { Return } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { BeginChargeRequestSchema } from "../../gen/tripe/writer/v1/charges_pb.ts";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { type Refusal, refusalOf } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";

/** Somebody with a card. */
export interface Payer {
  readonly customerId: string;
  readonly paymentMethodId: string;
}

/** A charge after commit A, and the request that began it. */
export interface Begun {
  readonly request: Omit<MessageInitShape<typeof BeginChargeRequestSchema>, "$typeName"> & {
    readonly requestId: string;
  };
  readonly charge: Charge;
  readonly attempt: Attempt;
}

/** A return after commit A. */
export interface BegunReturn {
  readonly record: Return;
  readonly attempt: Attempt;
}

/** What tests do with a writer. */
export type Steps = ReturnType<typeof createSteps>;

/** The steps of the writer's tests, for one account. */
export function createSteps(writer: Client<typeof WriterService>, accountId: string) {
  const key = (requestId = createId("req_")) => ({ accountId, requestId, requestDigest: new Uint8Array([1]) });
  const createToken = async () => {
    const ids = { tokenId: createId("tok_"), paymentMethodId: createId("card_") };
    const token = { tokenId: ids.tokenId, paymentMethod: { paymentMethodId: ids.paymentMethodId, card: card() } };
    await writer.createToken({ ...key(), token, sealedCard: new Uint8Array([7]) });
    return ids;
  };
  const createPayer = async (): Promise<Payer & { tokenId: string; customer: Customer }> => {
    const { tokenId, paymentMethodId } = await createToken();
    const customerId = createId("cus_");
    const request = { ...key(), customer: { customerId, invoicePrefix: "ABC" }, tokenId };
    const { customer } = await writer.createCustomer(request);
    return { customerId, paymentMethodId, tokenId, customer: given(customer) };
  };
  const chargeRequest = (
    payer: Payer,
    change: { requestId?: string; amountMinor?: bigint; isHeld?: boolean } = {},
  ) => ({
    ...key(change.requestId),
    attemptId: createId("att_"),
    charge: {
      chargeId: createId("ch_"),
      amount: { amountMinor: change.amountMinor ?? 2000n, currencyCode: "USD" },
      customerId: payer.customerId,
      paymentMethodId: payer.paymentMethodId,
      metadata: { order: "6735" },
      isHeld: change.isHeld ?? false,
    },
  });
  const beginCharge = async (payer?: Payer, change?: Parameters<typeof chargeRequest>[1]): Promise<Begun> => {
    const request = chargeRequest(payer ?? (await createPayer()), change);
    const { charge, attempt } = await writer.beginCharge(request);
    return { request, charge: given(charge), attempt: given(attempt) };
  };
  const settleCharge = async ({ attempt }: { attempt: Attempt }, outcome: Ending) => {
    const { attemptId, chargeId, fence } = attempt;
    const request = { accountId, requestId: attemptId, chargeId, attemptId, fence, outcome: outcomeOf(outcome) };
    const { charge, isSettledHere } = await writer.settleCharge(request);
    return { charge: given(charge), isSettledHere };
  };
  const succeedCharge = async () => settleCharge(await beginCharge(), OutcomeKind.ACCEPTED);
  const beginReturn = async (chargeId: string, amountMinor: bigint): Promise<BegunReturn> => {
    const ids = { returnId: createId("re_"), attemptId: createId("att_") };
    const begun = await writer.beginReturn({ ...key(), ...ids, chargeId, amountMinor });
    return { record: given(begun.return), attempt: given(begun.attempt) };
  };
  const settleReturn = async ({ attempt }: { attempt: Attempt }, outcome: Ending) => {
    const { attemptId, chargeId, returnId, fence } = attempt;
    const request = { accountId, requestId: attemptId, returnId, chargeId, attemptId, fence };
    const answer = await writer.settleReturn({ ...request, outcome: outcomeOf(outcome) });
    return { record: given(answer.return), isSettledHere: answer.isSettledHere };
  };
  const charges = { chargeRequest, beginCharge, settleCharge, succeedCharge };
  const holdCharge = async () => settleCharge(await beginCharge(undefined, { isHeld: true }), OutcomeKind.ACCEPTED);
  const holds = { holdCharge, ...createHoldSteps(writer, accountId) };
  return { writer, key, createToken, createPayer, ...charges, ...holds, beginReturn, settleReturn };
}

/** The steps with what is held. */
function createHoldSteps(writer: Client<typeof WriterService>, accountId: string) {
  const captureRequest = (chargeId: string, amountMinor = 0n, requestId = createId("req_")) => ({
    accountId,
    requestId,
    requestDigest: new Uint8Array([1]),
    attemptId: createId("att_"),
    chargeId,
    amountMinor,
  });
  const beginCapture = async (chargeId: string, amountMinor?: bigint) => {
    const request = captureRequest(chargeId, amountMinor);
    const { charge, attempt } = await writer.beginCapture(request);
    return { request, charge: given(charge), attempt: given(attempt) };
  };
  const settleCapture = async ({ attempt }: { attempt: Attempt }, outcome: Ending) => {
    const { attemptId, chargeId, fence } = attempt;
    const request = { accountId, requestId: attemptId, chargeId, attemptId, fence, outcome: outcomeOf(outcome) };
    const { charge, decline, isSettledHere } = await writer.settleCapture(request);
    return { charge: given(charge), decline, isSettledHere };
  };
  const settleRelease = async ({ attempt }: { attempt: Attempt }, outcome: Ending) => {
    const { attemptId, chargeId, returnId, fence } = attempt;
    const request = { accountId, requestId: attemptId, chargeId, returnId, attemptId, fence };
    const {
      charge,
      return: record,
      isSettledHere,
    } = await writer.settleRelease({
      ...request,
      outcome: outcomeOf(outcome),
    });
    return { charge: given(charge), record, isSettledHere };
  };
  return { captureRequest, beginCapture, settleCapture, settleRelease };
}

/** How an attempt ends: a kind with what usually comes with it, or all of an outcome. */
export type Ending = OutcomeKind | MessageInitShape<typeof OutcomeSchema>;

/** What may be shown of a card that works. */
export function card() {
  const shown = { brand: "visa", last4: "4242", expMonth: 12, expYear: 2040, funding: "credit", countryCode: "US" };
  return { ...shown, fingerprint: "f", cvcCheck: CheckResult.PASS };
}

/** What a promise was refused with; undefined when it was not, or with a fault. */
export async function refusal(promise: Promise<unknown>): Promise<Refusal | undefined> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return refusalOf(error);
}

function outcomeOf(outcome: Ending): MessageInitShape<typeof OutcomeSchema> {
  if (typeof outcome !== "number") return outcome;
  return {
    kind: outcome,
    bank: "sandbox",
    authorizationCode: outcome === OutcomeKind.ACCEPTED ? "A1" : "",
    ...(outcome === OutcomeKind.DECLINED && { decline: { reason: "insufficient_funds", responseCode: "51" } }),
  };
}

function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("an answer without what it promises");
  return value;
}
