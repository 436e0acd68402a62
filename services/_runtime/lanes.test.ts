import { Code, type ConnectError } from "@connectrpc/connect";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { CarryRequestSchema, type LaneCall } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { createServiceClient } from "./client.ts";
import { systemClock as clock } from "./clock.ts";
import { addHost } from "./grpc-server.ts";
import { createHost } from "./host.ts";
import { decodeMessage } from "./lane-messages.ts";
import { createLaneTransport } from "./lane-transport.ts";
import { silentLog as log } from "./log.ts";
import { createServer } from "./serve.ts";
import { isUnread } from "./service-transport.ts";
import { bareCall } from "./testing/bare-calls.ts";
import { serveBareLanes } from "./testing/lane-end.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { mayCallProbe as mayCall } from "./testing/probe-calls.ts";
import { failureOf } from "./testing/setup-probe.ts";
import { createSocketPlace, type SocketPlace } from "./testing/socket-place.ts";
import type { Probe } from "./testing/wirings.ts";

// The side of a lane that calls: with a real service, and with one that does what ours never do.

function connect(place: SocketPlace, maxMessageBytes?: number) {
  const addresses = [place.addressOf("writer")];
  const limit = maxMessageBytes === undefined ? {} : { maxMessageBytes };
  const transport = createLaneTransport({ name: "writer", addresses, dialing: place.dialing("edge"), ...limit });
  onTestFinished(() => transport.close());
  const client = createServiceClient(ProbeService, "writer", transport, { caller: "edge", clock, log, mayCall });
  return { transport, client };
}

async function setup(implementation: Probe, options: { laneAgeMs?: number; maxMessageBytes?: number } = {}) {
  const place = await createSocketPlace();
  const services = [{ service: ProbeService, implementation }] as const;
  const listening = place.listening("writer");
  const server = await createServer({ name: "writer", services, listening, log, clock, mayCall, ...options });
  onTestFinished(async () => {
    await server.close();
    await place.remove();
  });
  return { place, server, ...connect(place, options.maxMessageBytes) };
}

/** A service that takes lanes, and does with each message of one what the test says. */
async function setupBare(onCalls: (calls: LaneCall[], stream: ServerDuplexStream<Buffer, Buffer>) => void) {
  const place = await createSocketPlace();
  const seen: LaneCall[] = [];
  const server = await serveBareLanes(place, "writer", (stream) => {
    stream.on("error", () => {});
    stream.on("data", (bytes: Buffer) => {
      const { calls } = decodeMessage(CarryRequestSchema, bytes);
      seen.push(...calls);
      onCalls(calls, stream);
    });
  });
  onTestFinished(async () => {
    server.forceShutdown();
    await place.remove();
  });
  return { server, seen, ...connect(place) };
}

const soon = { timeout: 8_000 };
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

test("ten thousand calls are in flight, and each gets its own answer", { timeout: 60_000 }, async () => {
  const release = Promise.withResolvers<void>();
  let running = 0;
  let runningMax = 0;
  const { client } = await setup({
    async read({ text }) {
      running += 1;
      runningMax = Math.max(runningMax, running);
      await release.promise;
      running -= 1;
      return { text };
    },
  });
  const options = { timeoutMs: 50_000 };
  const answers = Promise.all(range(10_000).map((n) => client.read({ text: String(n) }, options)));
  // Two lanes of 1,024: the others wait with their caller, and leave when it gives them up.
  await expect.poll(() => running, soon).toBe(2_048);
  release.resolve();
  expect((await answers).map(({ text }) => text)).toEqual(range(10_000).map(String));
  expect(runningMax).toBe(2_048);
});

test("a call that is given up while it waits for room is never sent", async () => {
  const { client, seen } = await setupBare(() => {});
  const held = range(2_048).map(() => client.write({}, { timeoutMs: 3_000 }).catch(() => undefined));
  await expect.poll(() => seen.length, soon).toBe(2_048);
  const controller = new AbortController();
  const failed = failureOf(client.write({ data: new Uint8Array(9) }, { signal: controller.signal }));
  const late = failureOf(client.write({ data: new Uint8Array(9) }, { timeoutMs: 20 }));
  controller.abort();
  expect([(await failed).code, (await late).code]).toEqual([Code.Canceled, Code.DeadlineExceeded]);
  await Promise.all(held);
  expect(seen.length).toBe(2_048);
});

test("small calls pass large ones on their way there and back", { timeout: 30_000 }, async () => {
  const data = new Uint8Array(1_000_000);
  const { client } = await setup({
    read: ({ text }) => (text === "large" ? { text, data } : { text }),
    write: () => ({}),
  });
  let isOver = false;
  let largeCount = 0;
  const load = range(4).map(async (n) => {
    while (!isOver) {
      await (n % 2 === 0 ? client.read({ text: "large" }) : client.write({ data }));
      largeCount += 1;
    }
  });
  await expect.poll(() => largeCount, soon).toBeGreaterThan(3);
  // Counted, not timed: while a small call is on its way, no more large ones end than are on theirs, and hardly ever so many.
  const passedBy: number[] = [];
  for (const _ of range(50)) {
    const before = largeCount;
    await client.read({ text: "small" });
    passedBy.push(largeCount - before);
  }
  isOver = true;
  await Promise.all(load);
  expect(Math.max(...passedBy)).toBeLessThanOrEqual(4);
  expect(passedBy.toSorted((a, b) => a - b)[25]).toBeLessThanOrEqual(2);
});

test("an answer comes whole in parts, and one that is too large is refused", async () => {
  const sizes = [65_000, 65_536, 70_000, 1_000_000, 3_000_000];
  const { client, place } = await setup(
    { read: ({ text }) => ({ data: new Uint8Array(Number(text)).map((_, at) => at) }) },
    { maxMessageBytes: 4_000_000 },
  );
  const answers = await Promise.all(sizes.map((size) => client.read({ text: String(size) })));
  expect(answers.map(({ data }) => data.length)).toEqual(sizes);
  expect(answers.every(({ data }) => data.every((byte, at) => byte === at % 256))).toBe(true);
  expect((await failureOf(client.read({ text: "4000001" }))).code).toBe(Code.ResourceExhausted);
  // Of a service that sends more than its caller takes.
  expect((await failureOf(connect(place, 100_000).client.read({ text: "200000" }))).code).toBe(Code.ResourceExhausted);
});

test("lanes are replaced as they age, and no call that may not be repeated is lost or made twice", async () => {
  let callsCount = 0;
  const { client } = await setup(
    {
      async write() {
        callsCount += 1;
        await clock.sleep(3);
        return {};
      },
    },
    { laneAgeMs: 25 },
  );
  let made = 0;
  const endMs = clock.nowMs() + 600;
  const load = async () => {
    for (; clock.nowMs() < endMs; made += 1) await client.write({}, { timeoutMs: 10_000 });
  };
  await Promise.all(range(8).map(load));
  expect(callsCount).toBe(made);
  expect(made).toBeGreaterThan(100);
});

test("a call that was read when its service died is UNAVAILABLE, and not made again unless it may be", async () => {
  const { client, transport, seen, server } = await setupBare(() => server.forceShutdown());
  const failure = await failureOf(transport.unary(ProbeService.method.write, bareCall(), {}));
  expect([failure.code, isUnread(failure), seen.length]).toEqual([Code.Unavailable, false, 1]);
  await failureOf(client.write({}));
  expect(seen.length).toBe(1);
});

test("calls that a service says it has not read are made again, in their order, and only those", async () => {
  let lanes = 0;
  const { client, seen } = await setupBare((calls, stream) => {
    lanes += 1;
    // {lastId: 1}, and an answer to the first; on the second lane, an answer to each.
    const ids = lanes === 1 ? [1] : calls.map(({ id }) => id);
    stream.write(Buffer.from([...ids.flatMap((id) => [0x0a, 2, 0x08, id]), ...(lanes === 1 ? [0x10, 1] : [])]));
  });
  await Promise.all(range(4).map((n) => client.write({ data: new Uint8Array(n) }, { timeoutMs: 3_000 })));
  expect(seen.map(({ payload }) => payload.length - (payload.length > 0 ? 2 : 0))).toEqual([0, 1, 2, 3, 1, 2, 3]);
});

test("without a connection no call was read, and each may be made again", async () => {
  const place = await createSocketPlace();
  onTestFinished(place.remove);
  const { transport } = connect(place);
  const failures = await Promise.all(
    range(5).map(() => failureOf(transport.unary(ProbeService.method.write, bareCall(), {}))),
  );
  expect(failures.map((failure) => [failure.code, isUnread(failure)])).toEqual(
    range(5).map(() => [Code.Unavailable, true]),
  );
});

test.each([
  ["an answer to nothing", [0x0a, 2, 0x08, 99]],
  ["no protobuf", [0x0a, 0x7f, 1]],
])("a service that sends %s loses the lane, and its calls are UNAVAILABLE", async (_what, bytes) => {
  const { transport } = await setupBare((_calls, stream) => stream.write(Buffer.from(bytes)));
  const failure: ConnectError = await failureOf(transport.unary(ProbeService.method.write, bareCall(), {}));
  expect([failure.code, isUnread(failure)]).toEqual([Code.Unavailable, false]);
});

test("a service that does not read is sent no more than fits on the way", async () => {
  const { client, seen, server } = await setupBare((_calls, stream) => stream.pause());
  const data = new Uint8Array(60_000);
  const failures = Promise.allSettled(range(500).map(() => client.write({ data }, { timeoutMs: 1_000 })));
  await failures;
  expect(seen.length).toBeLessThan(100);
  server.forceShutdown();
});

test("a service of before there were lanes is called by plain gRPC", async () => {
  const place = await createSocketPlace();
  const host = createHost({
    name: "writer",
    services: [{ service: ProbeService, implementation: { write: () => ({ text: "plain" }) } }],
    log,
    clock,
    mayCall: () => true,
  });
  const server = await serveBareLanes(place, "writer", undefined);
  addHost(server, host, clock);
  onTestFinished(async () => {
    server.forceShutdown();
    await place.remove();
  });
  const { client } = connect(place);
  const answers = await Promise.all(range(5).map(() => client.write({})));
  expect(answers.map(({ text }) => text)).toEqual(Array(5).fill("plain"));
});
