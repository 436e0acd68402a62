import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type Attempt, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { SnapshotSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { createCall, runCall } from "../_runtime/call.ts";
import { startTestWriter } from "./testing.ts";

const { setup, rows, accountId } = await startTestWriter();

function setupPending() {
  const steps = setup();
  const postpone = ({ attemptId, fence }: Attempt) =>
    steps.writer.postponeAttempt({ accountId, requestId: "p", attemptId, fence, delayMs: 60_000n, bank: "" });
  return { ...steps, postpone };
}

const typesOf = async (objectId: string) =>
  (await rows<{ type: string }>("select type from event where object_id = $1 order by event_id", objectId)).map(
    ({ type }) => type,
  );

test("a return told of as pending is created once, in that state, and its end is an update of it", async () => {
  const { succeedCharge, beginReturn, settleReturn, postpone } = setupPending();
  const begun = await beginReturn((await succeedCharge()).charge.chargeId, 500n);
  const { returnId } = begun.record;
  await postpone(begun.attempt);
  await postpone(begun.attempt);
  expect(await typesOf(returnId)).toEqual(["refund.created"]);
  await settleReturn(begun, OutcomeKind.ACCEPTED);
  expect(await typesOf(returnId)).toEqual(["refund.created", "refund.updated", "charge.refund.updated"]);
  const events = await rows<{ snapshot: Buffer; previous: Buffer | null }>(
    "select snapshot, previous from event where object_id = $1 order by event_id limit 2",
    returnId,
  );
  const stateOf = (bytes: Buffer | null | undefined) => {
    const noun = bytes ? fromBinary(SnapshotSchema, bytes).noun : undefined;
    return noun?.case === "return" ? noun.value.state : undefined;
  };
  expect(events.map(({ snapshot, previous }) => [stateOf(previous), stateOf(snapshot)])).toEqual([
    [undefined, ReturnState.PENDING],
    [ReturnState.PENDING, ReturnState.SUCCEEDED],
  ]);
});

test("a charge is told of as pending once, under the request that made it, and never after its end", async () => {
  const { beginCharge, settleCharge, postpone } = setupPending();
  const asked = createCall({ caller: "merchant", requestId: "req_1", clientKey: "K" });
  const { charge, attempt } = await runCall(asked, () => beginCharge());
  await postpone(attempt);
  await settleCharge({ attempt }, OutcomeKind.ACCEPTED);
  await postpone(attempt);
  expect(await typesOf(charge.chargeId)).toEqual(["charge.pending", "charge.succeeded"]);
  const causes = "select distinct public_request_id, idempotency_key from event where object_id = $1";
  expect(await rows(causes, charge.chargeId)).toEqual([{ public_request_id: "req_1", idempotency_key: "K" }]);
});

test("put off and settled at once, a return is created exactly once, and updated only if that was told before", async () => {
  const { succeedCharge, beginReturn, settleReturn, postpone } = setupPending();
  const { chargeId } = (await succeedCharge()).charge;
  const begun = await Promise.all(Array.from({ length: 10 }, () => beginReturn(chargeId, 10n)));
  await Promise.all(begun.flatMap((one) => [postpone(one.attempt), settleReturn(one, OutcomeKind.ACCEPTED)]));
  for (const { record } of begun) {
    const types = await typesOf(record.returnId);
    const [row] = await rows<{ is_told: boolean }>(
      "select tell_time is not null as is_told from attempt where return_id = $1",
      record.returnId,
    );
    const ends = row?.is_told ? ["charge.refund.updated", "refund.created", "refund.updated"] : ["refund.created"];
    expect(types.sort()).toEqual(ends);
  }
});
