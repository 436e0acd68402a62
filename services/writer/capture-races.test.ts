import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Clock, createTestClock } from "../_runtime/clock.ts";
import { endingsOf } from "./hold-endings.ts";
import { createWriterClient, startTestWriter } from "./testing.ts";
import { type Sabotage, sabotage } from "./testing-saboteur.ts";
import { createSteps, refusal } from "./testing-steps.ts";

const { setup, rows, asOwner, database, accountId } = await startTestWriter();

/** Steps with a writer to which something happens at the worst moment. */
const worst = (happening: Sabotage) =>
  createSteps(createWriterClient(sabotage(database, happening), hastyClock()), accountId);

/** Steps with a writer whose waiting takes no time. */
const hasty = () => createSteps(createWriterClient(database, hastyClock()), accountId);

function hastyClock(): Clock {
  const clock = createTestClock();
  return { ...clock, sleep: async (ms) => clock.advance(ms) };
}

const entries = (chargeId: string) =>
  rows<{ ledger_account: string; amount_minor: bigint }>(
    `select ledger_account, amount_minor from ledger_entry join ledger_transfer using (account_id, ledger_transfer_id)
      where charge_id = $1 order by ledger_account`,
    chargeId,
  );
const age = (chargeId: string) =>
  rows("update charge set capture_before_time = create_time - interval '1 s' where charge_id = $1", chargeId);
const attemptsOf = (chargeId: string) =>
  rows<{ kind: string; state: string }>(
    "select kind, state from attempt where charge_id = $1 order by attempt_id",
    chargeId,
  );

test("captures, a release and an expiry begun at once, by writers of their own: one has the hold", async () => {
  const { writer, holdCharge, beginReturn } = setup();
  for (let round = 0; round < 5; round += 1) {
    const { chargeId } = (await holdCharge()).charge;
    await Promise.allSettled([
      hasty().beginCapture(chargeId, 100n),
      hasty().beginCapture(chargeId, 200n),
      beginReturn(chargeId, 0n),
      age(chargeId).then(() => writer.beginExpiries({ limit: 500 })),
    ]);
    expect((await attemptsOf(chargeId)).filter(({ kind }) => kind !== "authorize")).toHaveLength(1);
  }
});

test("an attempt begun after the statement's snapshot still keeps a second end out", async () => {
  const { holdCharge, captureRequest } = setup();
  const { chargeId } = (await holdCharge()).charge;
  const { beginCapture } = hasty();
  let isFirst = true;
  const overtake = async () => {
    if (!isFirst) return;
    isFirst = false;
    await beginCapture(chargeId, 100n);
  };
  const { writer } = worst({ at: "begin_capture", before: overtake });
  expect(await refusal(writer.beginCapture(captureRequest(chargeId)))).toMatchObject({ reason: "CHARGE_CHANGING" });
  expect(await attemptsOf(chargeId)).toHaveLength(2);
});

test("words that change between a settlement's two statements are in its snapshot", async () => {
  const { holdCharge, beginCapture, beginReturn } = setup();
  const change = (chargeId: string) => () =>
    rows(
      "update charge set description = 'changed', revision = revision + 1 where charge_id = $1 and description = ''",
      chargeId,
    );
  const { chargeId } = (await holdCharge()).charge;
  const begun = await beginCapture(chargeId);
  const captured = await worst({ at: "settle_capture", before: change(chargeId) }).settleCapture(
    begun,
    OutcomeKind.ACCEPTED,
  );
  expect(captured.charge).toMatchObject({ description: "changed", capturedMinor: 2_000n });
  const { chargeId: voidedId } = (await holdCharge()).charge;
  const release = await beginReturn(voidedId, 0n);
  const released = await worst({ at: "settle_release", before: change(voidedId) }).settleRelease(
    release,
    OutcomeKind.ACCEPTED,
  );
  expect(released.charge.description).toBe("changed");
  expect(released.charge.releaseTime).toBeDefined();
});

test("settlements give up on a charge that changes five times over, and book nothing", async () => {
  const { holdCharge, beginCapture, beginReturn } = setup();
  const bump = (chargeId: string) => () =>
    rows("update charge set revision = revision + 1 where charge_id = $1", chargeId);
  const { chargeId } = (await holdCharge()).charge;
  const begun = await beginCapture(chargeId);
  const { settleCapture } = worst({ at: "settle_capture", before: bump(chargeId) });
  expect(await refusal(settleCapture(begun, OutcomeKind.ACCEPTED))).toMatchObject({ reason: "CHARGE_CHANGING" });
  expect(await entries(chargeId)).toEqual([]);
  const { chargeId: voidedId } = (await holdCharge()).charge;
  const release = await beginReturn(voidedId, 0n);
  const { settleRelease } = worst({ at: "settle_release", before: bump(voidedId) });
  expect(await refusal(settleRelease(release, OutcomeKind.ACCEPTED))).toMatchObject({ reason: "CHARGE_CHANGING" });
  expect(await rows("select 1 from charge where charge_id = $1 and release_time is not null", voidedId)).toEqual([]);
});

test("NOT_SENT ends a capture or a release only for the holder of its fence", async () => {
  const { holdCharge, beginCapture, settleCapture, beginReturn, settleRelease } = setup();
  const capture = await beginCapture((await holdCharge()).charge.chargeId);
  const release = await beginReturn((await holdCharge()).charge.chargeId, 0n);
  for (const { attempt } of [capture, release]) {
    await rows("update attempt set fence = 2 where attempt_id = $1", attempt.attemptId);
  }
  expect(await settleCapture(capture, OutcomeKind.NOT_SENT)).toMatchObject({ isSettledHere: false });
  expect(await settleRelease(release, OutcomeKind.NOT_SENT)).toMatchObject({ isSettledHere: false });
  expect(await settleCapture(capture, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: true });
  expect(await settleRelease(release, OutcomeKind.ACCEPTED)).toMatchObject({ isSettledHere: true });
});

test("commit A whose answer was lost gives its own caller the attempt when asked again", async () => {
  const { holdCharge } = setup();
  const { chargeId } = (await holdCharge()).charge;
  const { writer, captureRequest } = setup();
  const request = captureRequest(chargeId);
  const { attempt } = await writer.beginCapture(request);
  const again = await writer.beginCapture(request);
  expect(again.attempt).toEqual(attempt);
  expect(await attemptsOf(chargeId)).toHaveLength(2);
});

test("among many attempts the end of a hold is found by its index", async () => {
  const { chargeId } = (await setup().holdCharge()).charge;
  await asOwner(
    `insert into attempt select (jsonb_populate_record(t, jsonb_build_object('attempt_id', 'att_' || n, 'bank_ref', 'att_' || n,
        'kind', 'reverse', 'state', 'failed', 'outcome', 'declined'))).*
      from attempt t, generate_series(1, 3000) n where t.charge_id = $1`,
    chargeId,
  );
  await asOwner("analyze attempt");
  const plan = await asOwner<{ "QUERY PLAN": string }>(
    `explain select charge_id from charge c where charge_id = '${chargeId}' and exists (${endingsOf("c")})`,
  );
  expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toContain("attempt_ending");
});
