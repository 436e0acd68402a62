import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { systemClock as clock } from "./clock.ts";
import { createDirectTransport } from "./direct-transport.ts";
import { createHost } from "./host.ts";
import { silentLog as log } from "./log.ts";
import { bareCall } from "./testing/bare-calls.ts";
import { ProbeService, type ReadRequest, ReadRequestSchema, ReadResponseSchema } from "./testing/probe_pb.ts";
import { mayCallProbe as mayCall } from "./testing/probe-calls.ts";
import type { Probe } from "./testing/wirings.ts";

/** Calls a probe's Read directly, its messages frozen or not. */
function setup(read: NonNullable<Probe["read"]>, freeze: boolean) {
  const services = [{ service: ProbeService, implementation: { read } }] as const;
  const host = createHost({ name: "reader", services, log, clock, mayCall });
  const transport = createDirectTransport({ host: () => host, clock, freeze });
  return (input: Parameters<typeof create<typeof ReadRequestSchema>>[1]) =>
    transport.unary(ProbeService.method.read, bareCall({ caller: "edge" }), input ?? {});
}

test("messages are handed over as they are, without a copy", async () => {
  let received: unknown;
  const answer = create(ReadResponseSchema, { part: { word: "kept" } });
  const read = setup((request) => {
    received = request;
    return answer;
  }, false);
  const request = create(ReadRequestSchema, { part: { word: "mine" } });
  expect((await read(request)).message).toBe(answer);
  expect(received).toBe(request);
});

test("what is no message yet becomes one, with all its fields", async () => {
  const received: ReadRequest[] = [];
  const read = setup((request) => {
    received.push(request);
    return { text: "plain" };
  }, true);
  const { message } = await read({ part: { list: ["a"] } });
  expect(message).toEqual(create(ReadResponseSchema, { text: "plain" }));
  expect(received).toEqual([create(ReadRequestSchema, { part: { word: "", list: ["a"] } })]);
});

// This is what shows a side that writes into what it sent or received: every test of a service runs so.
test("frozen, neither side can write into a message, however deep, before or after the call", async () => {
  const answer = create(ReadResponseSchema, { part: { word: "kept", list: ["a"] } });
  const kept: ReadRequest[] = [];
  const read = setup((request) => {
    kept.push(request);
    expect(() => Object.assign(request, { text: "x" })).toThrow(TypeError);
    expect(() => Object.assign(request.part ?? {}, { word: "x" })).toThrow(TypeError);
    expect(() => request.part?.list.push("x")).toThrow(TypeError);
    return answer;
  }, true);
  const list = ["b"];
  const { message } = await read({ part: { word: "mine", list } });
  expect(() => list.push("written after the call")).toThrow(TypeError);
  expect(() => answer.part?.list.push("written by the handler, later")).toThrow(TypeError);
  expect(() => Object.assign(message.part ?? {}, { word: "x" })).toThrow(TypeError);
  expect(kept[0]?.part).toMatchObject({ word: "mine", list: ["b"] });
});
