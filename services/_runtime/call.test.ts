import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { callerGone, createCall, detachCall } from "./call.ts";
import { cancellationOf, eitherCancellation } from "./cancellation.ts";

const asked = { caller: "edge" };

test("a call's signal is the same whenever it is read, and aborted with the first reason", () => {
  const [early, late] = [createCall(asked), createCall(asked)];
  const signal = early.signal;
  const reason = callerGone();
  for (const call of [early, late]) {
    call.cancel(reason);
    call.cancel(new ConnectError("the deadline has passed", Code.DeadlineExceeded));
  }
  expect(early.signal).toBe(signal);
  expect([early.signal.reason, late.signal.reason, late.cancelReason]).toEqual([reason, reason, reason]);
});

test("a listener is called once, at the moment of cancellation, unless it was taken away", () => {
  const call = createCall(asked);
  const calls: string[] = [];
  const away = () => void calls.push("away");
  call.onCancel(() => calls.push("stays"));
  call.onCancel(away);
  call.offCancel(away);
  expect(call.isCancelled).toBe(false);
  call.cancel(callerGone());
  call.cancel(callerGone());
  call.onCancel(() => calls.push("too late"));
  expect([calls, call.isCancelled]).toEqual([["stays"], true]);
});

test("a detached call is the same but for its cancellation", () => {
  const call = createCall({ ...asked, requestId: "req_1", clientKey: "K", deadlineMs: 7, spans: [] });
  const detached = detachCall(call);
  call.cancel(callerGone());
  const { requestId, clientKey, traceId, spanId, deadlineMs, startMs } = call;
  expect(detached).toMatchObject({ requestId, clientKey, traceId, spanId, deadlineMs, startMs, isCancelled: false });
  expect(detached.spans).toBe(call.spans);
});

test("either of two cancels, a call or a signal", () => {
  const call = createCall(asked);
  const controller = new AbortController();
  const either = eitherCancellation(call, cancellationOf(controller.signal));
  const calls: string[] = [];
  const listener = () => calls.push("cancelled");
  either.onCancel(listener);
  either.offCancel(listener);
  either.onCancel(listener);
  expect(either.isCancelled).toBe(false);
  controller.abort();
  expect([either.isCancelled, calls]).toEqual([true, ["cancelled"]]);
});
