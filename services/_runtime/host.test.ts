import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { Incoming } from "./arrival.ts";
import { callerGone, createCall } from "./call.ts";
import { noFacts } from "./call-facts.ts";
import { createTestClock } from "./clock.ts";
import { refusalOf } from "./errors.ts";
import { readFacts } from "./headers.ts";
import { createHost } from "./host.ts";
import { createMemoryLog } from "./testing/memory-log.ts";
import { ProbeService, ReadRequestSchema } from "./testing/probe_pb.ts";
import { mayCallProbe } from "./testing/probe-calls.ts";
import { failureOf } from "./testing/setup-probe.ts";
import type { Probe } from "./testing/wirings.ts";

function setup(implementation: Probe = { read: () => ({}) }) {
  const log = createMemoryLog();
  const clock = createTestClock();
  const services = [{ service: ProbeService, implementation }] as const;
  const host = createHost({ name: "reader", services, log, clock, mayCall: mayCallProbe });
  const read = (incoming: Partial<Incoming>) =>
    host.unary(
      {
        method: ProbeService.method.read,
        facts: noFacts,
        headers: () => new Headers(),
        deadlineMs: undefined,
        cancellation: undefined,
        caller: "edge",
        ...incoming,
      },
      create(ReadRequestSchema),
    );
  return { host, log, clock, read };
}

test("a caller that the transport has not proved may call nothing, whatever name it says", async () => {
  const { read, log } = setup();
  const call = read({ caller: undefined, headers: () => new Headers({ "tripe-caller": "edge" }) });
  expect(refusalOf(await failureOf(call))?.reason).toBe("CALLER_NOT_PROVEN");
  await expect(read({})).resolves.toBeDefined();
  expect(log.rpcs.map((line) => line.code)).toEqual(["unauthenticated", "ok"]);
});

test("a call whose deadline has passed on its way does not reach its handler", async () => {
  let reached = false;
  const { read, clock } = setup({
    read() {
      reached = true;
      return {};
    },
  });
  const failure = await failureOf(read({ deadlineMs: clock.nowMs() - 1 }));
  expect([failure.code, reached]).toEqual([Code.DeadlineExceeded, false]);
});

test("a caller that names no deadline is given the rpc's default", async () => {
  const { read, clock, log } = setup({ read: () => new Promise(() => {}) });
  const failed = failureOf(read({}));
  clock.advance(5_000);
  expect((await failed).code).toBe(Code.DeadlineExceeded);
  expect(log.rpcs).toMatchObject([{ code: "deadline_exceeded", ms: 5_000 }]);
});

test("a caller that is gone at its deadline has met it, one that is gone before has cancelled", async () => {
  const codes: Code[] = [];
  for (const beforeMs of [10, 1_000]) {
    const { read, clock } = setup({ read: () => new Promise(() => {}) });
    const caller = createCall({ caller: "edge" });
    const failed = failureOf(read({ deadlineMs: clock.nowMs() + 2_000, cancellation: caller }));
    clock.advance(2_000 - beforeMs);
    caller.cancel(callerGone());
    codes.push((await failed).code);
  }
  expect(codes).toEqual([Code.DeadlineExceeded, Code.Canceled]);
});

test("what a handler does after its call has ended changes nothing any more", async () => {
  const release = Promise.withResolvers<void>();
  const { read, clock, log } = setup({ read: () => release.promise.then(() => Promise.reject(new Error("too late"))) });
  const failed = failureOf(read({}));
  clock.advance(5_000);
  await failed;
  release.resolve();
  await release.promise;
  expect([log.rpcs.length, log.errors.length]).toEqual([1, 0]);
});

test("a request id and a trace that are no such thing are replaced, not carried on", async () => {
  const { read, log } = setup();
  const named: Record<string, string> = { traceparent: "00-xyz", "tripe-parent-id": "p" };
  await read({ facts: readFacts((name) => named[name]) });
  expect(log.rpcs[0]?.trace_id).toMatch(/^[0-9a-f]{32}$/);
  expect(log.rpcs[0]?.span_id).toMatch(/^[0-9a-f]{16}$/);
});
