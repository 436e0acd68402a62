import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CapabilitiesSchema, InquireResponseSchema } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { AttemptSchema, OutcomeKind, OutcomeSchema } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { nextStep } from "./next-step.ts";

const HOUR_MS = 3_600_000n;
const LATE_WINDOW_MS = 120_000n;
const YOUNG_MS = 1_000n;
const OVERDUE_MS = 72n * HOUR_MS;

const able = create(CapabilitiesSchema, {
  idempotentSubmit: true,
  inquiry: true,
  reversal: true,
  lateWindowMs: LATE_WINDOW_MS,
});
const accepted = create(OutcomeSchema, { kind: OutcomeKind.ACCEPTED });
const notDone = create(OutcomeSchema, { kind: OutcomeKind.NOT_SENT });

function stepOf(
  ageMs: bigint,
  heard: MessageInitShape<typeof InquireResponseSchema>,
  change: MessageInitShape<typeof AttemptSchema> = {},
) {
  const response = create(InquireResponseSchema, { capabilities: able, ...heard });
  return nextStep(create(AttemptSchema, { ageMs, ...change }), response);
}

const unheardOf = { isKnown: false };
const silent = { isKnown: true, outcome: { kind: OutcomeKind.UNKNOWN } };
const declined = create(OutcomeSchema, { kind: OutcomeKind.DECLINED });
const givenUp = { isGivenUp: true };

test("what the bank did, or refused, settles an attempt of any age", () => {
  for (const outcome of [accepted, declined]) {
    for (const ageMs of [YOUNG_MS, OVERDUE_MS, 1_000n * HOUR_MS]) {
      for (const change of [{}, givenUp]) {
        expect(stepOf(ageMs, { isKnown: true, outcome }, change)).toEqual({ case: "settle", outcome });
      }
    }
  }
});

test("what the bank has never heard of is asked again, for 72 hours", () => {
  expect(stepOf(YOUNG_MS, unheardOf)).toEqual({ case: "submit" });
  expect(stepOf(OVERDUE_MS - 1n, unheardOf)).toEqual({ case: "submit" });
  expect(stepOf(OVERDUE_MS, unheardOf)).toEqual({ case: "wait" });
});

test("what the bank has still not heard of when the last repeat can take effect no more never happened", () => {
  const endMs = OVERDUE_MS + LATE_WINDOW_MS;
  for (const change of [{}, givenUp]) {
    expect(stepOf(endMs - 1n, unheardOf, change)).toEqual({ case: "wait" });
    expect(stepOf(endMs, unheardOf, change)).toEqual({ case: "settle", outcome: notDone });
  }
});

test("a bank that cannot be asked is waited for, and after 72 hours given up on, once", () => {
  expect(stepOf(YOUNG_MS, silent)).toEqual({ case: "wait" });
  expect(stepOf(OVERDUE_MS - 1n, silent)).toEqual({ case: "wait" });
  expect(stepOf(OVERDUE_MS, silent)).toEqual({ case: "give_up" });
  expect(stepOf(OVERDUE_MS, silent, givenUp)).toEqual({ case: "wait" });
});

test("a bank that might do a repeat twice is sent none: what it does not know after its late window never happened", () => {
  const heard = { ...unheardOf, capabilities: { ...able, idempotentSubmit: false } };
  expect(stepOf(YOUNG_MS, heard)).toEqual({ case: "wait" });
  const endMs = 7_500n + LATE_WINDOW_MS;
  expect(stepOf(endMs - 1n, heard)).toEqual({ case: "wait" });
  expect(stepOf(endMs, heard)).toEqual({ case: "settle", outcome: notDone });
});

test("a bank that answers no questions is sent a repeat where that is harmless, and never after giving up", () => {
  const mute = { ...silent, capabilities: { ...able, inquiry: false } };
  expect(stepOf(YOUNG_MS, mute)).toEqual({ case: "submit" });
  expect(stepOf(OVERDUE_MS, mute)).toEqual({ case: "give_up" });
  expect(stepOf(OVERDUE_MS, mute, givenUp)).toEqual({ case: "wait" });
  const deaf = { ...silent, capabilities: { ...able, inquiry: false, idempotentSubmit: false } };
  expect(stepOf(YOUNG_MS, deaf)).toEqual({ case: "wait" });
  expect(stepOf(OVERDUE_MS, deaf)).toEqual({ case: "give_up" });
});

test("an answer that says nothing of what the bank can do leaves everything as it is", () => {
  const nothing = create(InquireResponseSchema, { isKnown: false });
  expect(nextStep(create(AttemptSchema, { ageMs: YOUNG_MS }), nothing)).toEqual({ case: "wait" });
});
