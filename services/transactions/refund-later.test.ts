import { expect, test } from "vitest";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, effectsOf, GOOD_CARD, makeDue, selectRows } from "./testing.ts";

// Returns that the bank first says are in progress (services/bank/sandbox/test-cards.ts), at the bank for 300 ms here.
const tripe = await startTestTripe({ bankRefundMs: 300 });
const { accountId } = tripe;

const PENDING_FIRST = "4000000000007726";
const FAILS_LATER = "4000000000005126";

/** A charge of 2000 on a card, and what one sees of it. */
async function setup(number: string) {
  const { edge, key, createPayer, chargeRequest, charge } = createSteps(tripe);
  const { transactions } = tripe.clientsOf("scheduler");
  const { chargeId } = (await charge(chargeRequest(await createPayer(number)))).charge;
  const giveBack = async (amountMinor: bigint, request = { ...key(), chargeId, amountMinor }) => {
    const { return: record } = await edge.transactions.createReturn(request);
    return { request, returnId: record?.returnId ?? "", state: record?.state };
  };
  const seen = async (returnId: string) => {
    const { return: record } = await edge.reader.getReturn({ accountId, returnId });
    const { charge: found } = await edge.reader.getCharge({ accountId, chargeId });
    return { state: record?.state, reason: record?.decline?.reason, returned: found?.returnedMinor };
  };
  /** Sweeps as the scheduler does, until the return has ended. */
  const resolve = (returnId: string) =>
    expect
      .poll(
        async () => {
          await makeDue(tripe, chargeId);
          await transactions.resolveAttempts({ limit: 500 });
          return (await seen(returnId)).state;
        },
        { timeout: 15_000 },
      )
      .not.toBe(ReturnState.PENDING);
  const booked = () => selectRows(tripe, "select 1 from ledger_transfer where charge_id = $1", chargeId);
  const effects = async () => (await effectsOf(tripe, chargeId)).map(({ kind, amountMinor }) => [kind, amountMinor]);
  return { giveBack, seen, resolve, booked, effects };
}

test("a return that the bank has in progress is pending, and succeeds once the bank has done it", async () => {
  const { giveBack, seen, resolve, booked, effects } = await setup(PENDING_FIRST);
  const { returnId, request, state } = await giveBack(500n);
  expect(state).toBe(ReturnState.PENDING);
  expect(await seen(returnId)).toMatchObject({ state: ReturnState.PENDING, returned: 500n });
  expect(await effects()).toEqual([["purchase", 2000n]]);
  await resolve(returnId);
  expect(await seen(returnId)).toMatchObject({ state: ReturnState.SUCCEEDED, returned: 500n });
  expect(await effects()).toEqual([
    ["purchase", 2000n],
    ["refund", 500n],
  ]);
  expect((await booked()).length).toBe(2);
  expect(await giveBack(500n, request)).toMatchObject({ returnId, state: ReturnState.SUCCEEDED });
});

test("a return that the bank declines later fails, with the reason, and the charge has its money back", async () => {
  const { giveBack, seen, resolve, booked, effects } = await setup(FAILS_LATER);
  const { returnId, state } = await giveBack(2000n);
  expect(state).toBe(ReturnState.PENDING);
  expect(await seen(returnId)).toMatchObject({ returned: 2000n });
  await resolve(returnId);
  expect(await seen(returnId)).toEqual({ state: ReturnState.FAILED, reason: "expired_card", returned: 0n });
  expect(await effects()).toEqual([["purchase", 2000n]]);
  expect((await booked()).length).toBe(1);
  // What came back can be returned again.
  expect(await giveBack(2000n)).toMatchObject({ state: ReturnState.PENDING });
});

test("a bank that restarts meanwhile knows of the return what it knew", async () => {
  const { giveBack, resolve, seen, effects } = await setup(PENDING_FIRST);
  const { returnId } = await giveBack(700n);
  await tripe.stopBank();
  await tripe.startBank();
  await resolve(returnId);
  expect(await seen(returnId)).toMatchObject({ state: ReturnState.SUCCEEDED, returned: 700n });
  expect((await effects()).length).toBe(2);
});

test("every other card's return is over at once", async () => {
  const { giveBack } = await setup(GOOD_CARD);
  expect(await giveBack(500n)).toMatchObject({ state: ReturnState.SUCCEEDED });
});
