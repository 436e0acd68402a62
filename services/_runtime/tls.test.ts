import { readFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport as createNodeTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "./clock.ts";
import type { Dialing } from "./dialing.ts";
import { refusalOf } from "./errors.ts";
import { createGrpcTransport } from "./grpc-transport.ts";
import { splitHostPort } from "./host-port.ts";
import type { TcpListening } from "./listening.ts";
import { createServer } from "./serve.ts";
import { bareCall } from "./testing/bare-calls.ts";
import { createMemoryLog } from "./testing/memory-log.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { mayCallProbe as mayCall } from "./testing/probe-calls.ts";
import { failureOf } from "./testing/setup-probe.ts";
import { createTlsPlace, REFRESH_MS, sharedTlsPlace } from "./testing/tls-place.ts";

/** A writer that answers over TLS, and its clients. */
async function setup(listening: TcpListening) {
  const log = createMemoryLog();
  const services = [{ service: ProbeService, implementation: { read: () => ({ text: "read" }) } }] as const;
  const server = await createServer({ name: "writer", services, listening, log, clock, mayCall, drainMaxMs: 100 });
  onTestFinished(async () => {
    await server.close();
    listening.certificates.close();
  });
  const clientOf = (dialing: Dialing) => {
    const transport = createGrpcTransport({ name: "writer", addresses: [server.address], dialing });
    onTestFinished(() => {
      transport.close();
      dialing.certificates?.close();
    });
    return {
      read: async (_request: object, options: { timeoutMs: number; headers?: HeadersInit }) =>
        (await transport.unary(ProbeService.method.read, bareCall(options), {})).message,
    };
  };
  return { log, address: server.address, clientOf };
}

const soon = { timeoutMs: 3_000 };

test("a caller is who its certificate says, and the topology judges that name", async () => {
  const place = await sharedTlsPlace();
  const { clientOf, log } = await setup(await place.listening("writer"));
  expect((await clientOf(await place.dialing("edge")).read({}, soon)).text).toBe("read");
  const reader = clientOf(await place.dialing("reader"));
  expect(refusalOf(await failureOf(reader.read({}, soon)))?.reason).toBe("CALLER_NOT_ALLOWED");
  const forged = reader.read({}, { ...soon, headers: { "tripe-caller": "edge" } });
  expect(refusalOf(await failureOf(forged))?.reason).toBe("CALLER_NOT_PROVEN");
  expect(log.rpcs.map(({ caller, code }) => `${caller} ${code}`)).toEqual(["edge ok", "reader permission_denied"]);
});

test("a service may not pose as another: its certificate has its own name", async () => {
  const place = await sharedTlsPlace();
  const { clientOf, log } = await setup(await place.listening("reader"));
  expect((await failureOf(clientOf(await place.dialing("edge")).read({}, soon))).code).toBe(Code.Unavailable);
  expect(log.rpcs).toEqual([]);
});

test("a certificate of another authority is refused on both sides", async () => {
  const [ours, theirs] = [await sharedTlsPlace(), await createTlsPlace()];
  const { clientOf, log } = await setup(await ours.listening("writer"));
  expect((await failureOf(clientOf(await theirs.dialing("edge")).read({}, soon))).code).toBe(Code.Unavailable);
  // One that trusts us, but whom we do not trust.
  const forged = {
    ...(await theirs.open("edge")),
    addCaCertificateListener: (await ours.open("edge")).addCaCertificateListener,
  };
  expect((await failureOf(clientOf({ tokens: {}, certificates: forged }).read({}, soon))).code).toBe(Code.Unavailable);
  expect(log.rpcs).toEqual([]);
});

test("a certificate that has ended is refused on both sides", async () => {
  const place = await createTlsPlace();
  const [edge, writer] = [await place.open("edge"), await place.open("writer")];
  await place.issue({ days: -1 });
  const { log, ...good } = await setup({ kind: "tcp", address: "127.0.0.1:0", certificates: writer });
  const ended = good.clientOf(await place.dialing("edge"));
  expect((await failureOf(ended.read({}, soon))).code).toBe(Code.Unavailable);
  const bad = await setup(await place.listening("writer"));
  const client = bad.clientOf({ tokens: {}, certificates: edge });
  expect((await failureOf(client.read({}, soon))).code).toBe(Code.Unavailable);
  expect([...log.rpcs, ...bad.log.rpcs]).toEqual([]);
});

test("without a certificate, or without TLS, no call reaches a service", async () => {
  const place = await sharedTlsPlace();
  const { address, log } = await setup(await place.listening("writer"));
  const ca = readFileSync(join(place.folder, "ca.pem"));
  for (const transport of [
    createNodeTransport({ baseUrl: `http://${address}` }),
    createNodeTransport({ baseUrl: `https://${address}`, nodeOptions: { ca, servername: "writer" } }),
  ]) {
    const failure = await failureOf(createClient(ProbeService, transport).read({}, soon));
    expect(failure.code).not.toBe(Code.Unauthenticated);
  }
  expect(log.rpcs).toEqual([]);
  // It still serves.
  const probe = connectPlain(splitHostPort(address));
  await new Promise((resolve) => probe.once("connect", resolve));
  probe.destroy();
});

test("certificates and their authority are renewed under load, and no call fails", async () => {
  const place = await createTlsPlace();
  const { address, clientOf } = await setup(await place.listening("writer"));
  const dialing = await place.dialing("edge");
  let isOver = false;
  let callsCount = 0;
  // Each on a connection of its own, made by what is on disk at that moment; and one connection for all of it.
  const load = async (makeClient: () => ReturnType<typeof clientOf>) => {
    while (!isOver) {
      await makeClient().read({}, soon);
      callsCount += 1;
      await clock.sleep(5);
    }
  };
  const kept = clientOf(dialing);
  const running = Promise.all([load(() => kept), load(() => clientOf(dialing))]);
  const before = await serialOf(address, place.folder);
  await place.issue();
  await expect.poll(() => serialOf(address, place.folder), { interval: REFRESH_MS }).not.toBe(before);
  const authorities = () => readFileSync(join(place.folder, "ca.pem"), "utf8").match(/BEGIN CERTIFICATE/g)?.length;
  expect(authorities()).toBe(1);
  await place.issue({ isNewAuthority: true });
  expect(authorities()).toBe(2);
  await clock.sleep(5 * REFRESH_MS);
  isOver = true;
  await running;
  expect(callsCount).toBeGreaterThan(20);
});

/** The number of the certificate that a server shows now. */
async function serialOf(address: string, folder: string): Promise<string> {
  const own = readFileSync(join(folder, "operator.pem"));
  const ca = readFileSync(join(folder, "ca.pem"));
  const socket = connect({
    ...splitHostPort(address),
    ca,
    cert: own,
    key: own,
    servername: "writer",
    ALPNProtocols: ["h2"],
  });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}
