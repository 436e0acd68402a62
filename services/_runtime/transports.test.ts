import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCall, currentCall, runCall } from "./call.ts";
import { createServiceClient, type ObservedCall } from "./client.ts";
import { systemClock } from "./clock.ts";
import { FAULT_MESSAGE, refusalOf, refuse } from "./errors.ts";
import { createMemoryLog } from "./testing/memory-log.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { type Probe, wirings } from "./testing/wirings.ts";
import type { CallerName, ServiceName } from "./topology.ts";

const text = "zażółć gęślą jaźń 猫🐈";

describe.each(Object.entries(wirings))("over %s", (_name, wire) => {
  async function setup(implementation: Probe, name: ServiceName = "reader", caller: CallerName = "edge") {
    const log = createMemoryLog();
    const observed: ObservedCall[] = [];
    const wired = await wire(name, implementation, log);
    onTestFinished(async () => {
      wired.transport.close();
      await wired.stop();
    });
    const options = { caller, clock: systemClock, log, observe: (call: ObservedCall) => observed.push(call) };
    return { wired, log, observed, client: createServiceClient(ProbeService, name, wired.transport, options) };
  }

  test("a unary call carries every kind of value both ways", async () => {
    const { client, log } = await setup({
      read: ({ text, part = {} }) => ({ text, part, data: new Uint8Array([0, 255]), amountMinor: 2n ** 53n }),
    });
    const answer = await client.read({ text, part: { word: "a", list: ["é", ""] } });
    expect(answer).toMatchObject({ text, amountMinor: 9_007_199_254_740_992n, part: { word: "a", list: ["é", ""] } });
    expect([...answer.data]).toEqual([0, 255]);
    expect(log.rpcs).toMatchObject([{ caller: "edge", service: "reader", rpc: "Read", code: "ok" }]);
  });

  test("a refusal arrives with its code, reason, field and words", async () => {
    const { client, log } = await setup({
      read: () => refuse(Code.NotFound, "CUSTOMER_NOT_FOUND", `no customer "${text}"`, "customer_id"),
    });
    const refusal = refusalOf(await failureOf(client.read({})));
    expect(refusal).toEqual({
      code: Code.NotFound,
      reason: "CUSTOMER_NOT_FOUND",
      field: "customer_id",
      message: `no customer "${text}"`,
    });
    expect(log.rpcs[0]).toMatchObject({ code: "not_found", reason: "CUSTOMER_NOT_FOUND" });
  });

  test("a fault is INTERNAL, logged with its cause, and told to nobody", async () => {
    const { client, log } = await setup({
      read() {
        throw new Error("password is hunter2");
      },
    });
    const failure = await failureOf(client.read({}));
    expect([failure.code, failure.rawMessage, failure.cause]).toEqual([Code.Internal, FAULT_MESSAGE, undefined]);
    expect(JSON.stringify([...failure.metadata])).not.toContain("hunter2");
    expect(log.errors).toMatchObject([{ cause: { message: "password is hunter2" } }]);
  });

  test("a deadline ends a call for both sides", async () => {
    const handler = Promise.withResolvers<unknown>();
    const { client, log } = await setup({
      read: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            handler.resolve(signal.reason);
            reject(signal.reason);
          });
        }),
    });
    const failure = await failureOf(client.read({}, { timeoutMs: 60 }));
    expect(failure.code).toBe(Code.DeadlineExceeded);
    expect(ConnectError.from(await handler.promise).code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => log.rpcs.filter((line) => line.code === "deadline_exceeded").length).toBe(2);
  });

  test("a handler that ignores its deadline does not hold its caller", async () => {
    const { client } = await setup({ read: () => new Promise(() => {}) });
    const startMs = systemClock.nowMs();
    expect((await failureOf(client.read({}, { timeoutMs: 50 }))).code).toBe(Code.DeadlineExceeded);
    expect(systemClock.nowMs() - startMs).toBeLessThan(1_000);
  });

  test("a call gets its rpc's default deadline, or what is left of its caller's, less a reserve", async () => {
    const rest: number[] = [];
    const { client } = await setup({
      read: (_request, context) => ({ text: String(rest.push(context.timeoutMs() ?? 0)) }),
    });
    await client.read({});
    const call = createCall({ caller: "merchant", deadlineMs: systemClock.nowMs() + 1_000 });
    await runCall(call, () => client.read({}, { timeoutMs: 60_000 }));
    const [byDefault = 0, byCaller = 0] = rest;
    expect(byDefault).toBeGreaterThan(4_500);
    expect(byDefault).toBeLessThanOrEqual(5_000);
    expect(byCaller).toBeGreaterThan(500);
    expect(byCaller).toBeLessThanOrEqual(995);
  });

  test("a call without any time left is not made", async () => {
    const { client, observed } = await setup({ read: () => ({}) });
    const call = createCall({ caller: "merchant", deadlineMs: systemClock.nowMs() + 3 });
    const failure = await runCall(call, () => failureOf(client.read({})));
    expect([failure.code, observed]).toEqual([Code.DeadlineExceeded, []]);
  });

  test("cancelling reaches the handler", async () => {
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    const { client } = await setup({
      read: (_request, { signal }) => {
        signal.addEventListener("abort", () => ended.resolve(signal.reason));
        started.resolve();
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const failed = failureOf(client.read({}, { signal: controller.signal }));
    await started.promise;
    controller.abort();
    expect((await failed).code).toBe(Code.Canceled);
    expect(ConnectError.from(await ended.promise).code).toBe(Code.Canceled);
  });

  test("when the current call is cancelled, the calls it has made are too", async () => {
    const started = Promise.withResolvers<void>();
    const { client } = await setup({
      read: () => {
        started.resolve();
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const call = createCall({ caller: "merchant", signal: controller.signal });
    const failed = runCall(call, () => failureOf(client.read({})));
    await started.promise;
    controller.abort();
    expect((await failed).code).toBe(Code.Canceled);
  });

  test("an rpc without an implementation is UNIMPLEMENTED", async () => {
    const { client } = await setup({});
    expect((await failureOf(client.read({}))).code).toBe(Code.Unimplemented);
  });

  test("a request that breaks its contract's rules is refused with the field's path, before the handler", async () => {
    let reached = false;
    const { client } = await setup({
      read() {
        reached = true;
        return {};
      },
    });
    const refusal = refusalOf(await failureOf(client.read({ part: { word: "too long" } })));
    expect(refusal).toMatchObject({ code: Code.InvalidArgument, reason: "INVALID_FIELD", field: "part.word" });
    expect(reached).toBe(false);
  });

  test("a client does not dial what the topology does not list", async () => {
    const { client, log } = await setup({ read: () => ({}) }, "webhooks", "edge");
    expect(refusalOf(await failureOf(client.read({})))?.reason).toBe("CALLER_NOT_ALLOWED");
    expect(log.rpcs).toEqual([]);
  });

  test("a server refuses a caller that the topology does not list", async () => {
    const { wired } = await setup({ read: () => ({}) }, "webhooks");
    const call = (caller: string) =>
      wired.transport.unary(ProbeService.method.read, undefined, 1_000, [["tripe-caller", caller]], {});
    for (const caller of ["edge", "reader", "nobody"]) {
      expect(refusalOf(await failureOf(call(caller)))).toMatchObject({
        code: Code.PermissionDenied,
        reason: "CALLER_NOT_ALLOWED",
      });
    }
    await expect(call("scheduler")).resolves.toBeDefined();
  });

  test("somebody on this machine may call without a name, and is logged as the operator", async () => {
    const { wired, log } = await setup({ read: () => ({}) });
    await wired.transport.unary(ProbeService.method.read, undefined, undefined, undefined, {});
    expect(log.rpcs).toMatchObject([{ caller: "operator", code: "ok" }]);
  });

  test("request, trace and deadline reach the second hop, and its times come back", async () => {
    const inner = await setup({ read: () => ({ text: currentCall()?.requestId ?? "" }) }, "bank", "transactions");
    const outer = await setup({ read: () => inner.client.read({}) }, "transactions", "edge");
    const call = createCall({ caller: "merchant", spans: [], deadlineMs: systemClock.nowMs() + 2_000 });
    const answer = await runCall(call, () => outer.client.read({}));
    expect(answer.text).toBe(call.requestId);
    const [first] = outer.log.rpcs;
    const [second] = inner.log.rpcs;
    expect(first).toMatchObject({ request_id: call.requestId, trace_id: call.traceId, parent_id: call.spanId });
    expect(second).toMatchObject({ request_id: call.requestId, trace_id: call.traceId, parent_id: first?.span_id });
    expect(second?.caller).toBe("transactions");
    expect(call.spans?.map((span) => span.name)).toEqual(["transactions.Read", "bank.Read"]);
    const [outerSpan, innerSpan] = call.spans ?? [];
    expect(innerSpan?.startMs).toBeGreaterThanOrEqual(outerSpan?.startMs ?? Number.NaN);
    expect(innerSpan?.ms).toBeLessThanOrEqual(outerSpan?.ms ?? Number.NaN);
  });

  test("the times of a failed call come back too", async () => {
    const inner = await setup({ read: () => refuse(Code.Aborted, "STALE", "stale") }, "bank", "transactions");
    const outer = await setup({ read: () => inner.client.read({}) }, "transactions", "edge");
    const call = createCall({ caller: "merchant", spans: [] });
    const refusal = await runCall(call, async () => refusalOf(await failureOf(outer.client.read({}))));
    expect(refusal).toMatchObject({ code: Code.Aborted, reason: "STALE" });
    expect(call.spans?.map((span) => span.name)).toEqual(["transactions.Read", "bank.Read"]);
  });

  test("a call outside of any request starts a request of its own", async () => {
    const { client } = await setup({ read: () => ({ text: currentCall()?.requestId ?? "" }) });
    expect((await client.read({})).text).toMatch(/^req_[0-9A-Za-z]{24}$/);
  });

  test("headers and trailers travel, text and bytes alike", async () => {
    const { client } = await setup({
      read(_request, context) {
        context.responseHeader.set("x-header", context.requestHeader.get("x-ask") ?? "");
        context.responseTrailer.set("x-trailer-bin", context.requestHeader.get("x-ask-bin") ?? "");
        return {};
      },
    });
    const seen: Record<string, string | null> = {};
    const options: CallOptions = {
      headers: { "x-ask": "hello", "x-ask-bin": "AP8" },
      onHeader: (headers) => {
        seen["header"] = headers.get("x-header");
      },
      onTrailer: (trailers) => {
        seen["trailer"] = trailers.get("x-trailer-bin");
      },
    };
    await client.read({}, options);
    expect(seen).toEqual({ header: "hello", trailer: "AP8" });
  });

  test("neither side can change what the other holds", async () => {
    const kept = { part: { word: "kept", list: ["a"] } };
    const { client } = await setup({
      read(request) {
        try {
          request.part?.list.push("written by the handler");
        } catch {
          // Frozen: just as well.
        }
        return kept;
      },
    });
    const request = { part: { word: "mine", list: ["b"] } };
    const answer = await client.read(request);
    try {
      answer.part?.list.push("written by the caller");
    } catch {
      // Frozen: just as well.
    }
    expect([request.part.list, kept.part.list]).toEqual([["b"], ["a"]]);
  });

  test("a service that is gone is UNAVAILABLE, and found again when it is back", async () => {
    const { wired, client } = await setup({ write: () => ({ text: "done" }) });
    await client.write({});
    await wired.stop();
    expect((await failureOf(client.write({}))).code).toBe(Code.Unavailable);
    expect(await wired.transport.isServing(200)).toBe(false);
    await wired.start();
    await expect
      .poll(() => client.write({}).catch(() => undefined), { timeout: 3_000 })
      .toMatchObject({ text: "done" });
    expect(await wired.transport.isServing(1_000)).toBe(true);
  });

  test("a stopping service lets running calls end", async () => {
    const running = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const { wired, client } = await setup({
      async write() {
        running.resolve();
        await release.promise;
        return { text: "done" };
      },
    });
    const answer = client.write({});
    await running.promise;
    const stopped = wired.stop();
    release.resolve();
    expect((await answer).text).toBe("done");
    await stopped;
  });

  test("streams carry messages in every direction", async () => {
    const { client } = await setup({
      async *count({ to }) {
        for (let number = 1; number <= to; number += 1) yield { number };
      },
      async sum(requests) {
        let sum = 0;
        for await (const { number } of requests) sum += number;
        return { sum };
      },
      async *talk(requests) {
        for await (const request of requests) yield { text: `${request.text}!` };
      },
    });
    expect((await collect(client.count({ to: 3 }))).map((item) => item.number)).toEqual([1, 2, 3]);
    expect((await client.sum(iterate([{ number: 1 }, { number: 2 }]))).sum).toBe(3);
    expect((await collect(client.talk(iterate([{ text: "a" }, { text }])))).map((item) => item.text)).toEqual([
      "a!",
      `${text}!`,
    ]);
  });

  test("a stream ends with a refusal, or when its caller cancels it", async () => {
    const ended = Promise.withResolvers<void>();
    const { client } = await setup({
      async *count({ to }, { signal }) {
        signal.addEventListener("abort", () => ended.resolve());
        yield { number: to };
        if (to === 0) refuse(Code.OutOfRange, "NOTHING_LEFT", "nothing left");
        await new Promise(() => {});
      },
    });
    expect(refusalOf(await failureOf(collect(client.count({ to: 0 }))))?.reason).toBe("NOTHING_LEFT");
    const controller = new AbortController();
    const failed = failureOf(
      (async () => {
        for await (const _item of client.count({ to: 1 }, { signal: controller.signal })) controller.abort();
      })(),
    );
    expect((await failed).code).toBe(Code.Canceled);
    await ended.promise;
  });
});

async function failureOf(promise: Promise<unknown>): Promise<ConnectError> {
  const caught = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (caught instanceof ConnectError) return caught;
  throw new Error("expected a ConnectError", { cause: caught });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
