import { type CallOptions, Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createCall, currentCall, runCall } from "./call.ts";
import { systemClock } from "./clock.ts";
import { FAULT_MESSAGE, refusalOf, refuse } from "./errors.ts";
import { bareCall } from "./testing/bare-calls.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { failureOf, setupProbe } from "./testing/setup-probe.ts";
import { wirings } from "./testing/wirings.ts";
import type { CallerName } from "./topology.ts";

// The conformance suite of every transport, part one: what a call carries. Part two is transports-end.test.ts.
const each = test.each(Object.entries(wirings));
const text = "zażółć gęślą jaźń 猫🐈";

each("over %s a unary call carries every kind of value both ways", async (_name, wire) => {
  const { client, log } = await setupProbe(wire, {
    read: ({ text, part = {} }) => ({ text, part, data: new Uint8Array([0, 255]), amountMinor: 2n ** 53n }),
  });
  const answer = await client.read({ text, part: { word: "a", list: ["é", ""] } });
  expect(answer).toMatchObject({ text, amountMinor: 9_007_199_254_740_992n, part: { word: "a", list: ["é", ""] } });
  expect([...answer.data]).toEqual([0, 255]);
  expect(log.rpcs).toMatchObject([{ caller: "edge", service: "reader", rpc: "Read", code: "ok" }]);
});

each("over %s a refusal arrives with its code, reason, field and words", async (_name, wire) => {
  const { client, log } = await setupProbe(wire, {
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

each("over %s a fault is INTERNAL, logged with its cause, and told to nobody", async (_name, wire) => {
  const { client, log } = await setupProbe(wire, {
    read() {
      throw new Error("password is hunter2");
    },
  });
  const failure = await failureOf(client.read({}));
  expect([failure.code, failure.rawMessage, failure.cause]).toEqual([Code.Internal, FAULT_MESSAGE, undefined]);
  expect(JSON.stringify([...failure.metadata])).not.toContain("hunter2");
  expect(log.errors).toMatchObject([{ cause: { message: "password is hunter2" } }]);
});

each("over %s an rpc without an implementation is UNIMPLEMENTED", async (_name, wire) => {
  const { client } = await setupProbe(wire, {});
  expect((await failureOf(client.read({}))).code).toBe(Code.Unimplemented);
});

each(
  "over %s a request that breaks its contract's rules is refused with the field's path, before the handler",
  async (_name, wire) => {
    let reached = false;
    const { client } = await setupProbe(wire, {
      read() {
        reached = true;
        return {};
      },
    });
    const refusal = refusalOf(await failureOf(client.read({ part: { word: "too long" } })));
    expect(refusal).toMatchObject({ code: Code.InvalidArgument, reason: "INVALID_FIELD", field: "part.word" });
    expect(reached).toBe(false);
  },
);

each("over %s a client does not dial what the topology does not list", async (_name, wire) => {
  const { client, log } = await setupProbe(wire, { read: () => ({}) }, { name: "webhooks" });
  expect(refusalOf(await failureOf(client.read({})))?.reason).toBe("CALLER_NOT_ALLOWED");
  expect(log.rpcs).toEqual([]);
});

each("over %s a server refuses a caller that the topology does not list", async (_name, wire) => {
  const call = async (caller: CallerName) => {
    const { wired } = await setupProbe(wire, { read: () => ({}) }, { name: "webhooks", caller });
    return wired.transport.unary(ProbeService.method.read, bareCall({ caller }), {});
  };
  for (const caller of ["edge", "reader", "operator"] as const) {
    expect(refusalOf(await failureOf(call(caller)))).toMatchObject({
      code: Code.PermissionDenied,
      reason: "CALLER_NOT_ALLOWED",
    });
  }
  await expect(call("scheduler")).resolves.toBeDefined();
});

each("over %s a server refuses a caller that claims a name it does not prove", async (name, wire) => {
  const { wired } = await setupProbe(wire, { read: () => ({}) });
  // In one process a caller is who it says it is; nothing but a name is no name.
  const claims = name === "direct" ? ["nobody", ""] : ["scheduler", "nobody", ""];
  for (const claim of claims) {
    const call = wired.transport.unary(ProbeService.method.read, bareCall({ caller: claim }), {});
    expect(refusalOf(await failureOf(call))).toMatchObject({
      code: Code.Unauthenticated,
      reason: "CALLER_NOT_PROVEN",
    });
  }
});

each("over %s request, trace and deadline reach the second hop, and its times come back", async (_name, wire) => {
  const inner = await setupProbe(
    wire,
    { read: () => ({ text: currentCall()?.requestId ?? "" }) },
    { name: "bank", caller: "transactions" },
  );
  const outer = await setupProbe(wire, { read: () => inner.client.read({}) }, { name: "transactions" });
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

each("over %s the times of a failed call come back too", async (_name, wire) => {
  const inner = await setupProbe(
    wire,
    { read: () => refuse(Code.Aborted, "STALE", "stale") },
    { name: "bank", caller: "transactions" },
  );
  const outer = await setupProbe(wire, { read: () => inner.client.read({}) }, { name: "transactions" });
  const call = createCall({ caller: "merchant", spans: [] });
  const refusal = await runCall(call, async () => refusalOf(await failureOf(outer.client.read({}))));
  expect(refusal).toMatchObject({ code: Code.Aborted, reason: "STALE" });
  expect(call.spans?.map((span) => span.name)).toEqual(["transactions.Read", "bank.Read"]);
});

each("over %s a call outside of any request starts a request of its own", async (_name, wire) => {
  const { client } = await setupProbe(wire, { read: () => ({ text: currentCall()?.requestId ?? "" }) });
  expect((await client.read({})).text).toMatch(/^req_[0-9A-Za-z]{24}$/);
});

// A key may have any printable character, commas and spaces too, and as many as 255.
const keys = ["", "order 1, line/2 = 50%", "k".repeat(255), undefined];

each("over %s a client's key reaches the second hop as it was sent, and none stays none", async (_name, wire) => {
  const seen: (string | undefined)[] = [];
  const read = () => {
    seen.push(currentCall()?.clientKey);
    return {};
  };
  const inner = await setupProbe(wire, { read }, { name: "bank", caller: "transactions" });
  const outer = await setupProbe(wire, { read: () => inner.client.read({}) }, { name: "transactions" });
  for (const clientKey of keys) {
    await runCall(createCall({ caller: "merchant", clientKey }), () => outer.client.read({}));
  }
  expect(seen).toEqual(keys);
});

each("over %s headers and trailers travel, text and bytes alike", async (_name, wire) => {
  const { client } = await setupProbe(wire, {
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

// In one process messages are handed over as they are: tests freeze them, and whoever writes into one fails.
each("over %s neither side can change what the other holds", async (_name, wire) => {
  const kept = { part: { word: "kept", list: ["a"] } };
  const { client } = await setupProbe(wire, {
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
