import { EventEmitter, once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createTestClock } from "../../_runtime/clock.ts";
import { createSecret } from "../../_runtime/secret.ts";
import type { MoneyRequest } from "../connector.ts";
import { decode, encode, type Message } from "../iso8583/codec.ts";
import { responseTypeOf } from "../iso8583/dialect.ts";
import type { FieldValues } from "../iso8583/fields.ts";
import { createFrameReader, frame } from "../iso8583/frames.ts";
import { connectTo } from "../testing/sandbox.ts";

const BUY: MoneyRequest = {
  bankRef: "buy_1",
  card: { number: createSecret("4242424242424242"), expMonth: 12, expYear: 2034 },
  amountMinor: 2_000n,
  currencyCode: "USD",
  originalBankRef: "",
  isRepeat: false,
  timeoutMs: 2_000,
};

/** A bank that signs everybody on and then does what the test says with each request. */
async function setup(react: (request: Message, socket: Socket) => void) {
  const requests: Message[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const reader = createFrameReader();
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      for (const request of reader.push(chunk).map(decode)) {
        if (request.type === "0800") reply(socket, request, {});
        else if (requests.push(request) > 0) react(request, socket);
      }
    });
  });
  const port = await listen(server, 0);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { connector: connectTo(port), requests, sockets, server, port };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

function reply(socket: Socket, request: Message, change: FieldValues): void {
  socket.write(frame(encode(response(request, change))));
}

function response({ type, fields }: Message, change: FieldValues): Message {
  const { 2: number, 14: expiry, 22: mode, 48: data, ...echo } = fields;
  return {
    type: responseTypeOf(type) ?? "",
    fields: { ...echo, 37: "000000000001", 38: "123456", 39: "00", ...change },
  };
}

test("a good answer is accepted, so that what follows fails for its own reason", async () => {
  const { connector } = await setup((request, socket) => reply(socket, request, {}));
  expect(await connector.purchase(BUY)).toEqual({
    outcome: "accepted",
    responseCode: "00",
    authorizationCode: "123456",
    networkReference: "000000000001",
  });
});

test.each<[string, FieldValues]>([
  ["amount", { 4: "000000002001" }],
  ["currency", { 49: "978" }],
  ["bank reference", { 63: "buy_2" }],
  ["processing code", { 3: "200000" }],
  ["terminal", { 41: "TRIPE002" }],
])("an answer with another %s is unknown, also when it says declined", async (_name, change) => {
  const { connector } = await setup((request, socket) => reply(socket, request, { ...change, 39: "05" }));
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "mismatch" });
});

test("an answer without its bank reference is unknown", async () => {
  const { connector } = await setup((request, socket) => {
    const { 63: bankRef, ...fields } = response(request, { 39: "05" }).fields;
    socket.write(frame(encode({ type: "0210", fields })));
  });
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "mismatch" });
});

test("an answer without a response code is unknown", async () => {
  const { connector } = await setup((request, socket) => {
    const { 39: code, ...fields } = response(request, {}).fields;
    socket.write(frame(encode({ type: "0210", fields })));
  });
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "unparsable" });
});

test.each(["10", "68", "94", "Z9"])("an answer with code %s, which may hide an effect, is unknown", async (code) => {
  const { connector } = await setup((request, socket) => reply(socket, request, { 39: code }));
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "undecided" });
});

test("an answer cut off behind its trace number is unknown at once, and its neighbour is answered", async () => {
  const { connector } = await setup((request, socket) => {
    if (request.fields[63] === "buy_2") return reply(socket, request, {});
    socket.write(frame(encode(response(request, {})).subarray(0, -2)));
  });
  const answers = await Promise.all([connector.purchase(BUY), connector.purchase({ ...BUY, bankRef: "buy_2" })]);
  expect(answers[0]).toEqual({ outcome: "unknown", reason: "unparsable" });
  expect(answers[1]).toMatchObject({ outcome: "accepted" });
});

test("an answer of another trace number or another type is nobody's: the request times out as unknown", async () => {
  const { connector } = await setup((request, socket) => {
    reply(socket, request, { 11: "999999" });
    socket.write(frame(encode({ ...response(request, {}), type: "0110" })));
  });
  expect(await connector.purchase({ ...BUY, timeoutMs: 100 })).toEqual({ outcome: "unknown", reason: "timeout" });
});

test("a second answer, and one after its time, change nothing for later requests", async () => {
  const late: (() => void)[] = [];
  const { connector } = await setup((request, socket) => {
    if (request.fields[63] === "late") late.push(() => reply(socket, request, { 39: "05" }));
    else for (const code of ["00", "05"]) reply(socket, request, { 39: code });
  });
  expect(await connector.purchase({ ...BUY, bankRef: "late", timeoutMs: 50 })).toMatchObject({ outcome: "unknown" });
  const next = connector.purchase({ ...BUY, bankRef: "buy_2" });
  for (const answer of late) answer();
  expect(await next).toMatchObject({ outcome: "accepted" });
  expect(await connector.purchase({ ...BUY, bankRef: "buy_3" })).toMatchObject({ outcome: "accepted" });
});

test("a connection reset after sending makes all that was on the way unknown, and the next request goes over a new one", async () => {
  const { connector, requests, sockets } = await setup((request, socket) => {
    if (request.fields[63] === "buy_9") reply(socket, request, {});
    else if (requests.length === 3) socket.resetAndDestroy();
  });
  const refs = ["buy_1", "buy_2", "buy_3"];
  const answers = await Promise.all(refs.map((bankRef) => connector.purchase({ ...BUY, bankRef })));
  expect(answers).toEqual(Array(3).fill({ outcome: "unknown", reason: "connection_lost" }));
  expect(await connector.purchase({ ...BUY, bankRef: "buy_9" })).toMatchObject({ outcome: "accepted" });
  expect(sockets.size).toBe(2);
});

test("half an answer and then the end is unknown", async () => {
  const { connector } = await setup((request, socket) => {
    const framed = frame(encode(response(request, {})));
    socket.end(framed.subarray(0, framed.length / 2));
  });
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "connection_lost" });
});

test("bytes that are no messages end the connection, and what was on the way is unknown", async () => {
  const { connector } = await setup((_request, socket) => socket.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n")));
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "connection_lost" });
});

test("a request waits for a bank that comes up, and is then sent once", async () => {
  const first = await setup(() => undefined);
  for (const socket of first.sockets) socket.destroy();
  first.server.close();
  await once(first.server, "close");
  const answer = first.connector.purchase(BUY);
  const seen: Message[] = [];
  const second = createServer((socket) => {
    const reader = createFrameReader();
    socket.on("data", (chunk: Buffer) => {
      for (const request of reader.push(chunk).map(decode)) {
        seen.push(request);
        reply(socket, request, {});
      }
    });
  });
  await listen(second, first.port);
  onTestFinished(() => void second.close());
  expect(await answer).toMatchObject({ outcome: "accepted" });
  expect(seen.filter(({ type }) => type === "0200").length).toBe(1);
  await first.connector.close();
});

test("a bank that refuses to sign us on is not sent anything", async () => {
  const seen: string[] = [];
  const server = createServer((socket) => {
    const reader = createFrameReader();
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      for (const request of reader.push(chunk).map(decode)) {
        seen.push(request.type);
        reply(socket, request, { 39: "58" });
      }
    });
  });
  const port = await listen(server, 0);
  onTestFinished(() => void server.close());
  const connector = connectTo(port);
  expect(await connector.purchase({ ...BUY, timeoutMs: 200 })).toEqual({ outcome: "not_sent", reason: "unreachable" });
  expect(new Set(seen)).toEqual(new Set(["0800"]));
});

test("a repeat goes out with the next message type", async () => {
  const { connector, requests } = await setup((request, socket) => reply(socket, request, {}));
  await connector.purchase(BUY);
  await connector.purchase({ ...BUY, isRepeat: true });
  await connector.refund({ ...BUY, originalBankRef: "buy_1", isRepeat: true });
  expect(requests.map(({ type, fields }) => [type, fields[3], fields[61]])).toEqual([
    ["0200", "000000", undefined],
    ["0201", "000000", undefined],
    ["0201", "200000", "buy_1"],
  ]);
});

test("a thousand requests at once share one connection, and each gets its own answer", async () => {
  const { connector, sockets } = await setup((request, socket) => {
    setImmediate(() => reply(socket, request, { 37: (request.fields[63] ?? "").padStart(12, "0") }));
  });
  const refs = Array.from({ length: 1_000 }, (_, index) => String(index));
  const answers = await Promise.all(refs.map((bankRef) => connector.purchase({ ...BUY, bankRef })));
  expect(answers.map((answer) => answer.outcome === "accepted" && Number(answer.networkReference))).toEqual(
    refs.map(Number),
  );
  expect(sockets.size).toBe(1);
});

test("a bank with ten thousand requests on its way is sent no more until some have ended", async () => {
  const { connector, requests } = await setup(() => undefined);
  const refs = Array.from({ length: 10_001 }, (_, index) => `buy_${index}`);
  const answers = await Promise.all(refs.map((bankRef) => connector.purchase({ ...BUY, bankRef, timeoutMs: 1_000 })));
  expect(answers.at(-1)).toEqual({ outcome: "not_sent", reason: "overloaded" });
  expect(answers.filter(({ outcome }) => outcome === "unknown").length).toBe(10_000);
  expect(requests.length).toBeLessThanOrEqual(10_000);
});

test("a bank that falls silent is asked for an echo, and without one the connection is made anew", async () => {
  const clock = createTestClock();
  const echoes: Socket[] = [];
  const asked = new EventEmitter();
  const server = createServer((socket) => {
    const reader = createFrameReader();
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      for (const request of reader.push(chunk).map(decode)) {
        if (request.fields[70] === "001") reply(socket, request, {});
        else echoes.push(socket);
        asked.emit(request.fields[70] ?? "", socket);
      }
    });
  });
  const signedOn = once(asked, "001");
  const port = await listen(server, 0);
  const connector = connectTo(port, clock);
  const [first] = await signedOn;
  // The echo is due 15 s after the signing on has come back to us, which its own answer to a request shows.
  const probed = once(asked, "301");
  const echo = connector.echo(1_000);
  await probed;
  clock.advance(1_000);
  expect(await echo).toBe(false);
  const echoed = once(asked, "301");
  clock.advance(15_000);
  await echoed;
  const ended = once(first, "close");
  clock.advance(5_000);
  await ended;
  expect(echoes.length).toBe(2);
  for (const socket of echoes) socket.destroy();
  server.close();
});
