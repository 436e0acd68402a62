import type { LookupAddress } from "node:dns";
import { Code } from "@connectrpc/connect";
import { expect, onTestFinished, test, vi } from "vitest";
import { DeliverEventResult } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { createTestClock, systemClock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createWebhooksClient, endpointOf, reachOf } from "./testing/client.ts";
import { startBareServer, startMerchant } from "./testing/merchant.ts";

// Real sockets on a busy machine take their time; that is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

const { DELIVERED, POSTPONED, REFUSED } = DeliverEventResult;
const body = new TextEncoder().encode('{"id":"evt_1"}');

/** Makes a client whose names lead where the test says, and counts how often they are asked for. */
async function setup({
  addresses = [],
  allowsLoopback = false,
}: {
  addresses?: string[];
  allowsLoopback?: boolean;
} = {}) {
  const lookup = vi.fn(async (): Promise<LookupAddress[]> => {
    if (addresses.length === 0) throw new Error("ENOTFOUND");
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  });
  const client = createWebhooksClient({ clock: systemClock, lookup, reach: reachOf(allowsLoopback) });
  const merchant = await startMerchant((_request, response) => void response.end());
  onTestFinished(() => merchant.close());
  const request = { accountId: "acct_1", requestId: "evt_1/we_1/1", ...endpointOf(["whsec_1"]), body };
  const deliver = (url: string) => client.deliverEvent({ ...request, url });
  return { client, request, deliver, lookup, merchant };
}

test.each([
  "127.0.0.1",
  "127.1",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "2130706433",
  "１２７.0.0.1",
  "0.0.0.0",
  "10.0.0.1",
  "169.254.169.254",
  "192.168.0.1",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[64:ff9b::7f00:1]",
  "[fd00:ec2::254]",
  "[fe80::1]",
])("http://%s/ is not called", async (host) => {
  const { deliver, merchant, lookup } = await setup();
  const answer = await deliver(`http://${host}:${merchant.port}/`);
  expect(answer).toMatchObject({ result: REFUSED, status: 0, problem: "the host's address is not public" });
  expect(merchant.received).toEqual([]);
  expect(lookup).not.toHaveBeenCalled();
});

test("a setting allows this machine, and no other private one", async () => {
  const { deliver, merchant } = await setup({ allowsLoopback: true });
  expect(await deliver(`http://127.0.0.1:${merchant.port}/`)).toMatchObject({ result: DELIVERED });
  for (const host of ["10.0.0.1", "169.254.169.254", "[fd00::1]", "0.0.0.0", "[::ffff:127.0.0.1]"]) {
    expect(await deliver(`http://${host}:${merchant.port}/`)).toMatchObject({ result: REFUSED });
  }
});

test.each([
  [["127.0.0.1"]],
  [["93.184.215.14", "10.0.0.1"]],
  [["2606:4700::1111", "::1"]],
  [["169.254.169.254", "93.184.215.14"]],
])("a name that leads to %j is not called: one bad address spoils the rest", async (addresses) => {
  const { deliver, merchant } = await setup({ addresses });
  expect(await deliver(`http://merchant.example:${merchant.port}/`)).toMatchObject({ result: REFUSED });
  expect(merchant.received).toEqual([]);
});

test("the address that was checked is the one connected to, and the name is asked for once", async () => {
  const { deliver, merchant, lookup } = await setup({ addresses: ["127.0.0.1"], allowsLoopback: true });
  // No name server knows this name: only the checked address can have led there.
  const host = `merchant.invalid:${merchant.port}`;
  expect(await deliver(`http://${host}/hooks`)).toMatchObject({ result: DELIVERED });
  expect(merchant.received[0]?.headers.host).toBe(host);
  expect(lookup).toHaveBeenCalledTimes(1);
});

test("a name that cannot be resolved may be tomorrow", async () => {
  const { deliver } = await setup();
  const expected = { result: POSTPONED, status: 0, problem: "the host's name cannot be resolved" };
  expect(await deliver("https://merchant.example/")).toMatchObject(expected);
});

test("a name server that never answers is given up in time", async () => {
  const clock = createTestClock();
  const asked = Promise.withResolvers<void>();
  const lookup = () => {
    asked.resolve();
    return new Promise<never>(() => {});
  };
  const client = createWebhooksClient({ clock, lookup, reach: reachOf(false) });
  const { request } = await setup();
  const delivery = client.deliverEvent({ ...request, url: "https://merchant.example/" });
  await asked.promise;
  clock.advance(14_800);
  expect(await delivery).toMatchObject({ result: POSTPONED, problem: "no answer came in time" });
});

test.each([
  "ftp://merchant.example/",
  "file:///etc/passwd",
  "merchant.example",
  "http://user:password@merchant.example/",
])("%s is not called", async (url) => {
  const { deliver, lookup } = await setup({ addresses: ["93.184.215.14"] });
  expect(await deliver(url)).toMatchObject({ result: REFUSED, status: 0 });
  expect(lookup).not.toHaveBeenCalled();
});

test("a request with nothing to post is refused, and a secret that does not open is a fault", async () => {
  const { client, request } = await setup();
  const refused = (change: object) =>
    client.deliverEvent({ ...request, url: "https://merchant.example/", ...change }).catch((error) => refusalOf(error));
  expect(await refused({ body: new Uint8Array() })).toMatchObject({
    code: Code.InvalidArgument,
    reason: "EVENT_MISSING",
  });
  expect(await refused({ body: new Uint8Array(), event: { eventId: "evt_1", snapshot: {} } })).toMatchObject({
    reason: "EVENT_MISSING",
  });
  const { sealedSecrets } = endpointOf(["whsec_1"], "we_2");
  for (const sealed of [new Uint8Array(), ...sealedSecrets]) {
    const unopened = { code: Code.Internal, reason: "SEALED_SECRET_UNOPENED" };
    expect(await refused({ sealedSecrets: [sealed] })).toMatchObject(unopened);
  }
});

test("a server that changes the protocol has answered, and not taken the event", async () => {
  const { deliver } = await setup({ allowsLoopback: true });
  const server = await startBareServer((socket) => {
    socket.once("data", () =>
      socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    );
  });
  onTestFinished(() => server.close());
  const expected = { result: POSTPONED, status: 101, problem: "the server answered 101" };
  expect(await deliver(`http://127.0.0.1:${server.port}/`)).toMatchObject(expected);
});

test("this machine is called for a sandbox account's event and not for a live one's, also by its bytes alone", async () => {
  const client = createWebhooksClient({
    clock: systemClock,
    lookup: () => Promise.reject(new Error("no names here")),
    reach: { loopback: "sandbox", closedPorts: [] },
  });
  const { merchant, request } = await setup();
  const deliver = async (content: object) =>
    (await client.deliverEvent({ ...request, url: `http://127.0.0.1:${merchant.port}/`, ...content })).result;
  const bytes = (livemode: unknown) => ({ body: new TextEncoder().encode(JSON.stringify({ id: "evt_1", livemode })) });
  expect([await deliver(bytes(false)), await deliver(bytes(true))]).toEqual([DELIVERED, REFUSED]);
  expect([await deliver(bytes(undefined)), await deliver({ body: new Uint8Array([123]) })]).toEqual([REFUSED, REFUSED]);
  const event = (isLive: boolean) => ({ body: new Uint8Array([123]), event: { eventId: "evt_1", isLive } });
  expect([await deliver(event(false)), await deliver(event(true))]).toEqual([DELIVERED, REFUSED]);
});

test("a port of Tripe's own is not called, whatever the setting and whatever the name", async () => {
  const { merchant, request } = await setup();
  const client = createWebhooksClient({
    clock: systemClock,
    lookup: async () => [{ address: "127.0.0.1", family: 4 }],
    reach: { loopback: "yes", closedPorts: [merchant.port] },
  });
  for (const host of ["127.0.0.1", "merchant.invalid"]) {
    const { result } = await client.deliverEvent({ ...request, url: `http://${host}:${merchant.port}/` });
    expect(result).toBe(REFUSED);
  }
  expect(merchant.received).toEqual([]);
});
