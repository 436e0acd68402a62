import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { startTestWriter } from "./testing.ts";
import { refusal } from "./testing-steps.ts";

const { setup, rows, accountId } = await startTestWriter();

const makeDue = (attemptId: string) =>
  rows("update attempt set resolve_time = statement_timestamp() - interval '1 s' where attempt_id = $1", attemptId);

test("leaseAttempts takes what is due with a new fence, and postponeAttempt gives it up only to its holder", async () => {
  const { writer, beginCharge } = setup();
  const { attemptId } = (await beginCharge()).attempt;
  await makeDue(attemptId);
  const { attempts } = await writer.leaseAttempts({ limit: 500 });
  const leased = attempts.find((attempt) => attempt.attemptId === attemptId);
  expect(leased).toMatchObject({ fence: 2, tries: 1, accountId });
  const postpone = (fence: number) =>
    writer.postponeAttempt({ accountId, requestId: "p", attemptId, fence, delayMs: 60_000n, bank: "sandbox" });
  expect(await postpone(1)).toMatchObject({ isPostponed: false });
  expect(await postpone(2)).toMatchObject({ isPostponed: true });
});

test("leaseAttempts takes neither what is leased, nor what is put off, nor what has ended", async () => {
  const { writer, beginCharge, settleCharge } = setup();
  const [leased, postponed, ended] = [await beginCharge(), await beginCharge(), await beginCharge()];
  const put = { accountId, requestId: "p", attemptId: postponed.attempt.attemptId, fence: 1, delayMs: 60_000n };
  await writer.postponeAttempt({ ...put, bank: "" });
  await settleCharge(ended, OutcomeKind.ACCEPTED);
  const { attempts } = await writer.leaseAttempts({ limit: 500 });
  const taken = attempts.map(({ attemptId }) => attemptId);
  for (const { attempt } of [leased, postponed, ended]) expect(taken).not.toContain(attempt.attemptId);
});

test("leaseAttempts takes the longest due first, and no more than asked for", async () => {
  const { writer, beginCharge } = setup();
  const begun = [await beginCharge(), await beginCharge(), await beginCharge()];
  for (const [index, { attempt }] of begun.entries()) {
    const text = "update attempt set resolve_time = statement_timestamp() - $2 * interval '1 h' where attempt_id = $1";
    await rows(text, attempt.attemptId, 10 + index);
  }
  const { attempts } = await writer.leaseAttempts({ limit: 2 });
  const expected = [begun[2], begun[1]].map((one) => one?.attempt.attemptId);
  expect(attempts.map(({ attemptId }) => attemptId).sort()).toEqual(expected.sort());
});

test("settleCharge raises one alert when two answers disagree, and overwrites nothing", async () => {
  const { beginCharge, settleCharge } = setup();
  const begun = await beginCharge();
  const { charge } = await settleCharge(begun, OutcomeKind.DECLINED);
  const other = await refusal(settleCharge(begun, OutcomeKind.ACCEPTED));
  expect(other).toMatchObject({ code: Code.FailedPrecondition, reason: "ANSWERS_DISAGREE" });
  const alerts = "select reason, details from alert where object_id = $1";
  expect(await rows(alerts, begun.attempt.attemptId)).toEqual([
    { reason: "ANSWERS_DISAGREE", details: { stored: "declined", heard: "accepted", bank: "sandbox" } },
  ]);
  expect(await rows("select state from charge where charge_id = $1", charge.chargeId)).toEqual([{ state: "failed" }]);
});

test("settleCharge refuses an outcome that is not final, and an attempt that is not there", async () => {
  const { beginCharge, settleCharge } = setup();
  const begun = await beginCharge();
  for (const kind of [OutcomeKind.UNKNOWN, OutcomeKind.UNSPECIFIED]) {
    expect(await refusal(settleCharge(begun, kind))).toMatchObject({ reason: "OUTCOME_NOT_FINAL" });
  }
  const stranger = { ...begun, attempt: { ...begun.attempt, attemptId: "att_none" } };
  expect(await refusal(settleCharge(stranger, OutcomeKind.ACCEPTED))).toMatchObject({ reason: "ATTEMPT_NOT_FOUND" });
});
