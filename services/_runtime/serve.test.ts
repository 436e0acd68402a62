import { Code } from "@connectrpc/connect";
import { Client, credentials } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { createServiceClient } from "./client.ts";
import { systemClock as clock } from "./clock.ts";
import { createGrpcTransport } from "./grpc-transport.ts";
import { MESSAGE_MAX_BYTES, OBJECT_MESSAGE_MAX_BYTES } from "./limits.ts";
import { silentLog as log } from "./log.ts";
import { createServer } from "./serve.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { mayCallProbe } from "./testing/probe-calls.ts";
import { failureOf } from "./testing/setup-probe.ts";
import { createSocketPlace } from "./testing/socket-place.ts";
import type { Probe } from "./testing/wirings.ts";

async function setup(implementation: Probe, limits: { maxMessageBytes?: number; drainMaxMs?: number } = {}) {
  const services = [{ service: ProbeService, implementation }] as const;
  const place = await createSocketPlace();
  const mayCall = mayCallProbe;
  const server = await createServer({
    name: "pdf",
    services,
    listening: place.listening("pdf"),
    ...{ log, clock, mayCall },
    ...limits,
  });
  const addresses = [server.address];
  const transport = createGrpcTransport({ name: "pdf", addresses, dialing: place.dialing("edge"), ...limits });
  onTestFinished(async () => {
    transport.close();
    await server.close();
    await place.remove();
  });
  const options = { caller: "edge", clock, log, mayCall } as const;
  return { server, client: createServiceClient(ProbeService, "pdf", transport, options) };
}

const answer = (bytes: number): Probe => ({ read: () => ({ data: new Uint8Array(bytes) }) });
const room = 100;

test("a message beyond the limit is refused, on its way in and on its way out", async () => {
  const { client } = await setup({ ...answer(MESSAGE_MAX_BYTES + 1), write: () => ({}) });
  expect((await failureOf(client.read({}))).code).toBe(Code.ResourceExhausted);
  const data = new Uint8Array(MESSAGE_MAX_BYTES + 1);
  expect((await failureOf(client.write({ data }))).code).toBe(Code.ResourceExhausted);
  await expect(client.write({ data: new Uint8Array(MESSAGE_MAX_BYTES - room) })).resolves.toBeDefined();
});

test("where PDFs travel, eight times as much may", async () => {
  const limit = { maxMessageBytes: OBJECT_MESSAGE_MAX_BYTES };
  const { client } = await setup(answer(OBJECT_MESSAGE_MAX_BYTES - room), limit);
  expect((await client.read({})).data.length).toBe(OBJECT_MESSAGE_MAX_BYTES - room);
  const beyond = await setup(answer(OBJECT_MESSAGE_MAX_BYTES + 1), limit);
  expect((await failureOf(beyond.client.read({}))).code).toBe(Code.ResourceExhausted);
});

test("a call that does not end is cut when the time to drain is over", async () => {
  const running = Promise.withResolvers<void>();
  const { server, client } = await setup(
    {
      write() {
        running.resolve();
        return new Promise(() => {});
      },
    },
    { drainMaxMs: 100 },
  );
  const failed = failureOf(client.write({}, { timeoutMs: 30_000 }));
  await running.promise;
  const startMs = clock.nowMs();
  await server.close();
  expect(clock.nowMs() - startMs).toBeLessThan(5_000);
  expect((await failed).code).toBe(Code.Unavailable);
});

test("somebody who watches our health is told, and does not hold up the end", async () => {
  const { server } = await setup({});
  const watcher = new Client(server.address, credentials.createInsecure());
  onTestFinished(() => watcher.close());
  const same = (bytes: Buffer) => bytes;
  const stream = watcher.makeServerStreamRequest("/grpc.health.v1.Health/Watch", same, same, Buffer.alloc(0));
  stream.on("error", () => {});
  const states: (number | undefined)[] = [];
  const first = new Promise<void>((resolve) => {
    stream.on("data", (bytes: Buffer) => {
      // Field 1 of the answer: 1 SERVING, 2 NOT_SERVING.
      states.push(bytes[1]);
      resolve();
    });
  });
  await first;
  const startMs = clock.nowMs();
  await server.close();
  expect(clock.nowMs() - startMs).toBeLessThan(5_000);
  await expect.poll(() => states).toEqual([1, 2]);
});

test("closing twice closes once", async () => {
  const { server } = await setup({});
  expect(server.close()).toBe(server.close());
});
