import type { LookupAddress } from "node:dns";
import type { RequestListener } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { SMTPServer } from "smtp-server";
import { Stripe } from "stripe";
import { expect, onTestFinished, test, vi } from "vitest";
import { type Event, EventSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import { DeliverEventResult } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { createTestClock, systemClock } from "../_runtime/clock.ts";
import { eventView } from "../_views/event.ts";
import { sampleCustomer } from "../_views/testing.ts";
import { createWebhooksClient, endpointOf, reachOf } from "./testing/client.ts";
import { startBareServer, startMerchant } from "./testing/merchant.ts";

// Real sockets on a busy machine take their time; that is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

const { DELIVERED, GONE, POSTPONED } = DeliverEventResult;
const secrets = ["whsec_old0123456789", "whsec_new9876543210"];
const event: Event = create(EventSchema, {
  eventId: "evt_1",
  type: "customer.created",
  createTime: timestampFromMs(Date.UTC(2026, 0, 1)),
  snapshot: { noun: { case: "customer", value: sampleCustomer() } },
});

interface Change {
  readonly clock?: ReturnType<typeof createTestClock> | typeof systemClock;
  readonly lookup?: (host: string) => Promise<LookupAddress[]>;
  readonly allowsLoopback?: boolean;
}

function setup({ clock = systemClock, lookup = noNames, allowsLoopback = true }: Change = {}) {
  const client = createWebhooksClient({ clock, lookup, reach: reachOf(allowsLoopback) });
  const deliver = (url: string, body = new Uint8Array()) =>
    client.deliverEvent({ accountId: "acct_1", requestId: "evt_1/we_1/1", ...endpointOf(secrets), url, event, body });
  return { client, deliver };
}

const noNames = () => Promise.reject(new Error("no names here"));

async function merchant(answer: RequestListener) {
  const server = await startMerchant(answer);
  onTestFinished(() => server.close());
  return { ...server, url: `http://127.0.0.1:${server.port}/hooks?a=1` };
}

const status = (code: number, headers: Record<string, string> = {}): RequestListener => {
  return (_request, response) => void response.writeHead(code, headers).end("{}");
};

test("an event arrives as the public API shows it, and the official SDK takes each of its signatures", async () => {
  const { deliver } = setup();
  const { url, received } = await merchant(status(200));
  const answer = await deliver(url);
  expect(answer).toMatchObject({ result: DELIVERED, status: 200, problem: "" });
  const [request] = received;
  expect(request).toMatchObject({ method: "POST", url: "/hooks?a=1" });
  expect(request?.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(Buffer.from(answer.body)).toEqual(request?.body);
  const signature = request?.headers["stripe-signature"] ?? "";
  const stripe = new Stripe("sk_test_unused");
  for (const secret of secrets) {
    const seen = stripe.webhooks.constructEvent(request?.body ?? "", signature, secret);
    expect(JSON.parse(JSON.stringify(seen))).toEqual(JSON.parse(JSON.stringify(eventView(event))));
  }
  expect(() => stripe.webhooks.constructEvent(request?.body ?? "", signature, "whsec_other")).toThrow(/signature/);
});

test("the next attempt posts the bytes of the first, signed anew", async () => {
  const clock = createTestClock();
  const { deliver } = setup({ clock });
  const { url, received } = await merchant(status(500));
  const first = new TextEncoder().encode('{"id":"evt_1", "as":"it was"}');
  await deliver(url, first);
  clock.advance(300_000);
  const { body } = await deliver(url, first);
  expect(Buffer.from(body)).toEqual(Buffer.from(first));
  expect(received.map((request) => request.body)).toEqual([Buffer.from(first), Buffer.from(first)]);
  const times = received.map(({ headers }) => /^t=(\d+),v1=/.exec(String(headers["stripe-signature"]))?.[1]);
  expect(times).toEqual(["1767225600", "1767225900"]);
});

test.each([200, 201, 204, 299])("a server that answers %i has it", async (code) => {
  const { url } = await merchant(status(code));
  expect(await setup().deliver(url)).toMatchObject({ result: DELIVERED, status: code });
});

test.each([400, 401, 404, 429, 500, 503])("a server that answers %i gets it again", async (code) => {
  const { url } = await merchant(status(code));
  const answer = await setup().deliver(url);
  expect(answer).toMatchObject({ result: POSTPONED, status: code, problem: `the server answered ${code}` });
  expect(answer.retryAfter).toBeUndefined();
});

test("a server that answers 410 gets it never again", async () => {
  const { url } = await merchant(status(410));
  expect(await setup().deliver(url)).toMatchObject({ result: GONE, status: 410 });
});

test.each([301, 302, 303, 307, 308])("a redirect by %i is not followed", async (code) => {
  const inside = await merchant(status(200));
  const { url } = await merchant(status(code, { location: inside.url }));
  expect(await setup().deliver(url)).toMatchObject({ result: POSTPONED, status: code });
  expect(inside.received).toEqual([]);
});

test.each([
  ["120", 120n],
  ["0", 0n],
  ["Thu, 01 Jan 2026 00:10:00 GMT", 600n],
  ["Wed, 31 Dec 2025 00:00:00 GMT", 0n],
  ["999999999", 86_400n],
  ["soon", undefined],
  ["1.5", undefined],
  ["+5", undefined],
  ["-5", undefined],
  ["later 3", undefined],
  ["2026-01-01T00:10:00Z", undefined],
])("Retry-After: %s", async (value, seconds) => {
  const { url } = await merchant(status(429, { "retry-after": value }));
  const { retryAfter } = await setup({ clock: createTestClock() }).deliver(url);
  expect(retryAfter?.seconds).toBe(seconds);
});

test("a server that never answers is given up before its caller gives up", async () => {
  const clock = createTestClock();
  const { url, received } = await merchant(() => {});
  const delivery = setup({ clock }).deliver(url);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  clock.advance(14_800);
  expect(await delivery).toMatchObject({ result: POSTPONED, status: 0, problem: "no answer came in time" });
});

test("a server that answers a byte at a time runs out of time, too", async () => {
  const clock = createTestClock();
  const begun = Promise.withResolvers<void>();
  const { port, close } = await startBareServer((socket) => {
    const text = `HTTP/1.1 200 OK\r\n${"X-Slow: very\r\n".repeat(100)}`;
    let sent = 0;
    const drip = setInterval(() => {
      socket.write(text.charAt(sent++));
      if (sent === 30) begun.resolve();
    }, 2);
    socket.on("close", () => clearInterval(drip));
  });
  onTestFinished(close);
  const delivery = setup({ clock }).deliver(`http://127.0.0.1:${port}/`);
  await begun.promise;
  clock.advance(14_800);
  expect(await delivery).toMatchObject({ result: POSTPONED, status: 0 });
});

test("a status heard in time counts, whatever its body does then", async () => {
  const clock = createTestClock();
  const begun = Promise.withResolvers<void>();
  const { url } = await merchant((_request, response) => {
    response.writeHead(200).write("x", () => begun.resolve());
  });
  const delivery = setup({ clock }).deliver(url);
  await begun.promise;
  // On one machine what is written lies in the other socket at once; it is read within a turn or two of the loop.
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  clock.advance(14_800);
  expect(await delivery).toMatchObject({ result: DELIVERED, status: 200 });
});

test("of a large answer 64 kB are read, and the line is cut", async () => {
  const chunk = Buffer.alloc(65_536, "x");
  let writtenBytes = 0;
  const { url } = await merchant((_request, response) => {
    const write = () => {
      while (writtenBytes < 100_000_000 && !response.destroyed) {
        writtenBytes += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", write);
      }
    };
    write();
  });
  expect(await setup().deliver(url)).toMatchObject({ result: DELIVERED, status: 200 });
  // What the kernel's buffers hold was written and never read: some megabytes at most.
  expect(writtenBytes).toBeLessThan(10_000_000);
});

test.each<[string, string]>([
  ["hangs up", ""],
  ["speaks another language", "220 smtp.example ESMTP\r\n"],
  ["has headers without end", `HTTP/1.1 200 OK\r\n${"X-Long: header\r\n".repeat(5_000)}\r\n`],
])("a server that %s gets it again", async (_what, text) => {
  const { port, close } = await startBareServer((socket) => socket.once("data", () => socket.end(text)));
  onTestFinished(close);
  const answer = await setup().deliver(`http://127.0.0.1:${port}/`);
  expect(answer).toMatchObject({ result: POSTPONED, status: 0 });
  expect(answer.problem).toMatch(/^the connection failed: [A-Z_]+$/);
});

test("a server that is down gets it again", async () => {
  const { url, close } = await merchant(status(200));
  await close();
  expect(await setup().deliver(url)).toMatchObject({
    result: POSTPONED,
    problem: "the connection failed: ECONNREFUSED",
  });
});

test("a certificate nobody vouches for is not trusted", async () => {
  // A mail server of the tests' own, because it brings such a certificate along.
  const server = new SMTPServer({ secure: true, logger: false });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const answer = await setup().deliver(`https://127.0.0.1:${port}/`);
  expect(answer).toMatchObject({ result: POSTPONED, status: 0 });
  expect(answer.problem).toMatch(/CERT/);
});
