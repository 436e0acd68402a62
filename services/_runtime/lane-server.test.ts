import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { CarryRequestSchema, type LaneCallSchema } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { systemClock as clock } from "./clock.ts";
import { refusalOf } from "./errors.ts";
import { createGrpcTransport, toConnectError } from "./grpc-transport.ts";
import { LANE_MESSAGE_MAX_BYTES } from "./lane-messages.ts";
import { createServer } from "./serve.ts";
import { type BareLane, openBareLane } from "./testing/lane-end.ts";
import { createMemoryLog } from "./testing/memory-log.ts";
import { ProbeService, ReadRequestSchema, WriteRequestSchema } from "./testing/probe_pb.ts";
import { createSocketPlace } from "./testing/socket-place.ts";
import type { Probe } from "./testing/wirings.ts";
import { type CallerName, type MayCall, mayCall as mayCallByTopology } from "./topology.ts";

// The side of a lane that answers, called by hand: what our own callers never send.

const mayRead: MayCall = (caller, callee, rpc) =>
  rpc === "Write" ? caller === "transactions" : mayCallByTopology(caller, callee, rpc === "Read" ? "Carry" : rpc);

async function setup(implementation: Probe, options: { laneAgeMs?: number; drainMaxMs?: number } = {}) {
  const place = await createSocketPlace();
  const log = createMemoryLog();
  const services = [{ service: ProbeService, implementation }] as const;
  const listening = place.listening("writer");
  const server = await createServer({ name: "writer", services, listening, log, clock, mayCall: mayRead, ...options });
  const lanes: BareLane[] = [];
  onTestFinished(async () => {
    for (const lane of lanes) lane.close();
    await server.close();
    await place.remove();
  });
  const open = (token: CallerName = "edge") => {
    const lane = openBareLane(place, "writer", token);
    lanes.push(lane);
    return lane;
  };
  return { place, log, server, open };
}

const path = "/tripe.probe.v1.ProbeService/Read";
const read = (id: number, text = "hi") => ({
  id,
  path,
  payload: toBinary(ReadRequestSchema, create(ReadRequestSchema, { text })),
});
const soon = { timeout: 8_000 };
const answered = (lane: BareLane, count: number) => expect.poll(() => lane.answers.length, soon).toBe(count);
const echo: Probe = { read: ({ text }) => ({ text }) };

test("a lane is opened by whoever may call the service, with proof of its name, and by nobody else", async () => {
  const { open, place } = await setup(echo);
  const codeOf = async (token: CallerName) => (await open(token).ended).code;
  expect(await codeOf("reader")).toBe(Code.PermissionDenied);
  const transport = createGrpcTransport({
    name: "writer",
    addresses: [place.addressOf("writer")],
    dialing: { tokens: {}, certificates: undefined },
  });
  onTestFinished(() => transport.close());
  const failure = await new Promise((resolve) => transport.openLane().on("error", resolve));
  expect(refusalOf(toConnectError(failure, undefined))?.reason).toBe("CALLER_NOT_PROVEN");
  for (const token of ["edge", "operator", "scheduler", "transactions"] as const) {
    const lane = open(token);
    lane.send({ calls: [read(1)] });
    await answered(lane, 1);
    expect(lane.answers).toMatchObject([{ id: 1, code: 0 }]);
  }
});

test("a call that the caller of a lane may not make is refused, whatever it calls itself, and others go on", async () => {
  const { open, log } = await setup({ ...echo, write: () => ({ text: "written" }) });
  const write = {
    path: path.replace("Read", "Write"),
    payload: toBinary(WriteRequestSchema, create(WriteRequestSchema)),
  };
  const lane = open("edge");
  lane.send({ calls: [{ id: 1, ...write }, { id: 2, ...write, caller: "transactions" }, read(3)] });
  await answered(lane, 3);
  const codes = lane.answers.map(({ id, code }) => [id, code]).sort();
  expect(codes).toEqual([
    [1, Code.PermissionDenied],
    [2, Code.Unauthenticated],
    [3, 0],
  ]);
  expect(log.rpcs.map(({ caller, rpc, code }) => `${caller} ${rpc} ${code}`).sort()).toEqual([
    "edge Read ok",
    "edge Write permission_denied",
  ]);
  const rightful = open("transactions");
  rightful.send({ calls: [{ id: 1, ...write }] });
  await answered(rightful, 1);
  expect(rightful.answers).toMatchObject([{ code: 0 }]);
});

test("an rpc that is unknown, a stream, or sent what it does not read fails alone", async () => {
  const { open } = await setup(echo);
  const lane = open();
  const count = path.replace("Read", "Count");
  lane.send({
    calls: [
      { id: 1, path: "/nothing" },
      { id: 2, path: count },
      { id: 3, path, payload: Buffer.from([1]) },
    ],
  });
  lane.send({ calls: [read(4)] });
  await answered(lane, 4);
  const codes = new Map(lane.answers.map(({ id, code }) => [id, code]));
  expect([1, 2, 3, 4].map((id) => codes.get(id))).toEqual([Code.Unimplemented, Code.Unimplemented, Code.Internal, 0]);
});

test("a cancelled call ends for its handler, and is answered all the same", async () => {
  const cancelled = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { open } = await setup({
    read: (_request, { signal }) => {
      signal.addEventListener("abort", () => cancelled.resolve());
      started.resolve();
      return new Promise(() => {});
    },
  });
  const lane = open();
  lane.send({ calls: [read(1)] });
  await started.promise;
  lane.send({ cancelledIds: [1, 77] });
  await cancelled.promise;
  await answered(lane, 1);
  expect(lane.answers).toMatchObject([{ id: 1, code: Code.Canceled }]);
});

test("when the caller of a lane is gone, all its calls are cancelled", async () => {
  const codes: Promise<void>[] = [];
  const { open, log } = await setup({
    read: (_request, { signal }) => {
      codes.push(new Promise((resolve) => signal.addEventListener("abort", () => resolve())));
      return new Promise(() => {});
    },
  });
  const lane = open();
  lane.send({ calls: [read(1), read(2), read(3)] });
  await expect.poll(() => codes.length, soon).toBe(3);
  lane.close();
  await Promise.all(codes);
  await expect.poll(() => log.rpcs.map(({ code }) => code), soon).toEqual(["canceled", "canceled", "canceled"]);
});

test("a service that goes down names the last call it has read, answers it, and reads no other", async () => {
  const texts: string[] = [];
  const release = Promise.withResolvers<void>();
  const { open, server } = await setup({
    async read({ text }) {
      texts.push(text);
      await release.promise;
      return { text };
    },
  });
  const lane = open();
  lane.send({ calls: [read(4, "read")] });
  await expect.poll(() => texts, soon).toEqual(["read"]);
  const closed = server.close();
  await expect.poll(() => lane.lastId, soon).toBe(4);
  lane.send({ calls: [read(5, "late")] });
  await clock.sleep(50);
  release.resolve();
  expect(await lane.ended).toMatchObject({ code: 0 });
  await closed;
  expect([texts, lane.answers.map(({ id, code }) => [id, code])]).toEqual([["read"], [[4, 0]]]);
});

test("a lane that has had its time names its last call too", async () => {
  const { open } = await setup(echo, { laneAgeMs: 20 });
  const lane = open();
  await expect.poll(() => lane.lastId, soon).toBe(0);
  expect(await lane.ended).toMatchObject({ code: 0 });
});

test("a caller that reads no answers is read from no more, until it does", async () => {
  let callsCount = 0;
  const data = new Uint8Array(30_000);
  const { open } = await setup({
    read: () => {
      callsCount += 1;
      return { data };
    },
  });
  const lane = open();
  lane.pause();
  const headers = [{ name: "x", value: "y".repeat(9_000) }];
  for (let id = 1; id <= 1_000; id += 1) lane.send({ calls: [{ ...read(id), headers }] });
  let before = -1;
  while (before !== callsCount) {
    before = callsCount;
    await clock.sleep(300);
  }
  // A MiB of answers that wait, a MiB in grpc-js, and what HTTP/2 and the stream hold.
  expect(callsCount).toBeLessThan(300);
  lane.resume();
  await expect.poll(() => lane.answers.filter(({ isPartial }) => !isPartial).length, { timeout: 20_000 }).toBe(1_000);
});

const malformed: Record<string, Buffer> = {
  "a field of a length that the message has not": Buffer.from([0x0a, 0x7f, 0x01]),
  "no protobuf at all": Buffer.from("GET / HTTP/1.1\r\n"),
  "too long a message": Buffer.alloc(LANE_MESSAGE_MAX_BYTES + 1),
};
const encode = (calls: MessageInitShape<typeof LaneCallSchema>[]) =>
  Buffer.from(toBinary(CarryRequestSchema, create(CarryRequestSchema, { calls })));
const broken: Record<string, Buffer> = {
  ...malformed,
  "an id of 0": encode([read(0)]),
  "an id twice": encode([read(1), read(1)]),
  "a falling id": encode([read(2), read(1)]),
  "a trace that is none": encode([{ ...read(1), traceId: "x\n" }]),
  "a client's key of several lines": encode([{ ...read(1), clientKey: "a\nb" }]),
  "more calls than a message may have": encode(
    Array.from({ length: 1_025 }, (_, index) => ({ id: index + 1, path: "/" })),
  ),
};

test.each(Object.entries(broken))(
  "%s ends the lane with INVALID_ARGUMENT and cancels its calls",
  async (_what, bytes) => {
    const { open } = await setup({ read: () => new Promise(() => {}) });
    const [lane, other] = [open(), open()];
    lane.sendBytes(bytes);
    expect((await lane.ended).code).toBe(Code.InvalidArgument);
    other.send({ calls: [{ id: 1, path: "/nothing" }] });
    await answered(other, 1);
  },
);

test("more unanswered calls than a lane may have end it", async () => {
  const { open, log } = await setup({ read: () => new Promise(() => {}) });
  const lane = open();
  lane.send({ calls: Array.from({ length: 600 }, (_, index) => read(index + 1)) });
  lane.send({ calls: Array.from({ length: 600 }, (_, index) => read(index + 601)) });
  expect((await lane.ended).code).toBe(Code.InvalidArgument);
  await expect.poll(() => log.rpcs.filter(({ code }) => code === "canceled").length, soon).toBe(1_024);
});

test("whatever bytes come, a lane answers or ends with INVALID_ARGUMENT, and the service goes on", {
  timeout: 60_000,
}, async () => {
  const { open } = await setup(echo);
  const valid = encode([
    { ...read(1), timeoutMs: 1_000, clientKey: "k", headers: [{ name: "a", value: "b" }] },
    read(2),
  ]);
  const flipped = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(valid);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(fc.oneof(flipped, anything), async (bytes) => {
      const lane = open();
      lane.sendBytes(bytes);
      lane.end();
      expect([0, Code.InvalidArgument]).toContain((await lane.ended).code);
      lane.close();
    }),
    { numRuns: 100 },
  );
  const lane = open();
  lane.send({ calls: [read(1)] });
  await answered(lane, 1);
});
