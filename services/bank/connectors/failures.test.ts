import { expect, test } from "vitest";
import { encode } from "../iso8583/codec.ts";
import type { FieldNumber, FieldValues } from "../iso8583/fields.ts";
import { frame } from "../iso8583/frames.ts";
import { createLines } from "../testing/lines.ts";
import { BUY, type React, reply, response, startScripted } from "../testing/scripted-bank.ts";

test("a good answer is accepted, so that what follows fails for its own reason", async () => {
  const { connector } = await startScripted((request, socket) => reply(socket, request, {}));
  expect(await connector.purchase(BUY)).toEqual({
    outcome: "accepted",
    responseCode: "00",
    authorizationCode: "123456",
    networkReference: "000000000001",
  });
});

test.each<[number, FieldValues]>([
  [3, { 3: "200000" }],
  [4, { 4: "000000002001" }],
  [7, { 7: "0101000000" }],
  [32, { 32: "000002" }],
  [37, { 37: "000000000000" }],
  [41, { 41: "TERM0002" }],
  [42, { 42: "MERCHANT-000002" }],
  [49, { 49: "978" }],
  [63, { 63: "buy_2" }],
])(
  "an answer with another element %s is unknown, also when it says declined, and the log names it",
  async (element, change) => {
    const { log, lines, text } = createLines();
    const react: React = (request, socket) => reply(socket, request, { ...change, 39: "05" });
    const { connector, port } = await startScripted(react, { log });
    expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "mismatch" });
    const bank = { bank: "sandbox", address: `127.0.0.1:${port}` };
    expect(lines("bank answered something else")).toEqual([
      { ...bank, bank_ref: "buy_1", element, response_code: "05" },
    ]);
    expect(text()).not.toContain(BUY.card.number.reveal());
  },
);

test("a refund's answer about another original is unknown", async () => {
  const { connector } = await startScripted((request, socket) => reply(socket, request, { 61: "buy_9" }));
  const refund = { ...BUY, bankRef: "back_1", originalBankRef: "buy_1" };
  expect(await connector.refund(refund)).toEqual({ outcome: "unknown", reason: "mismatch" });
});

/** A bank whose answers have only these elements, beside the ones that say what it did. */
function terse(...kept: FieldNumber[]) {
  return startScripted((request, socket) => {
    const { 38: code = "", 39: result = "" } = response(request, {}).fields;
    const echo = Object.fromEntries(kept.map((number) => [number, request.fields[number]]));
    const type = response(request, {}).type;
    socket.write(frame(encode({ type, fields: { ...echo, 15: "1130", 38: code, 39: result, 44: "ok" } })));
  });
}

test.each<[string, FieldNumber[]]>([
  ["its time", [7, 11]],
  ["its retrieval reference", [11, 37]],
  ["its bank reference", [11, 63]],
])("an answer that names its request by %s and leaves all else out is taken", async (_name, kept) => {
  const { connector } = await terse(...kept);
  expect(await connector.purchase(BUY)).toMatchObject({ outcome: "accepted", authorizationCode: "123456" });
});

test("an answer that names its request by the trace number alone is none: a late one has it too", async () => {
  const { connector } = await terse(3, 4, 11, 32, 41, 42, 49);
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "mismatch" });
});

test("an inquiry's answer counts by its reference, and only by that; an amount or a currency that it says must fit", async () => {
  let said: FieldValues = {};
  const { connector } = await startScripted((request, socket) => {
    const { 11: traceNumber = "" } = request.fields;
    socket.write(frame(encode({ type: "0610", fields: { 11: traceNumber, 39: "00", 48: "390200", ...said } })));
  });
  const about = {
    kind: "purchase",
    traceNumber: 42,
    timeMs: Date.UTC(2026, 10, 30, 7),
    authorizationCode: "",
  } as const;
  const ask = (change: FieldValues) => {
    said = change;
    return connector.inquire({ ...BUY, about });
  };
  const mismatch = { outcome: "unknown", reason: "mismatch" };
  for (const named of [{ 63: "buy_1" }, { 37: "633407000042" }]) {
    expect(await ask(named)).toMatchObject({ outcome: "accepted" });
    expect(await ask({ ...named, 4: "000000002000" })).toMatchObject({ outcome: "accepted" });
    expect(await ask({ ...named, 4: "000000002001" })).toEqual(mismatch);
    expect(await ask({ ...named, 49: "978" })).toEqual(mismatch);
    expect(await ask({ ...named, 39: "25" })).toEqual({ outcome: "not_known" });
  }
  for (const foreign of [{}, { 63: "buy_2" }, { 37: "633407000043" }, { 39: "25" }, { 63: "buy_2", 39: "25" }]) {
    expect(await ask(foreign)).toEqual(mismatch);
  }
});

test.each<[string, FieldValues, object]>([
  ["no 39 in element 48", { 39: "00" }, { response_code: "00", problem: expect.stringMatching(/^element 48/) }],
  ["a code that is neither", { 39: "12", 48: "390200" }, { response_code: "12", problem: "neither 00 nor 25" }],
  ["a request in progress", { 39: "00", 48: "390209" }, { response_code: "00", request_code: "09" }],
])("an inquiry's answer with %s decides nothing, and the log says why", async (_name, said, why) => {
  const { log, lines } = createLines();
  const { connector, port } = await startScripted(
    (request, socket) =>
      reply(socket, { type: "0600", fields: { 11: request.fields[11] ?? "" } }, { 63: "buy_1", ...said }),
    { log },
  );
  expect(await connector.inquire(BUY)).toMatchObject({ outcome: "unknown" });
  expect(lines("bank's answer to an inquiry decides nothing")).toEqual([
    expect.objectContaining({ bank: "sandbox", address: `127.0.0.1:${port}`, bank_ref: "buy_1", ...why }),
  ]);
});

test("an inquiry that is not answered is logged by its reference", async () => {
  const { log, lines } = createLines();
  const { connector, port } = await startScripted(() => undefined, { log });
  expect(await connector.inquire({ ...BUY, timeoutMs: 50 })).toEqual({ outcome: "unknown", reason: "timeout" });
  const bank = { bank: "sandbox", address: `127.0.0.1:${port}` };
  expect(lines("bank gave no answer to an inquiry")).toEqual([{ ...bank, bank_ref: "buy_1", reason: "timeout" }]);
});

test("a code and a reference filled with spaces are none", async () => {
  const { connector } = await startScripted((request, socket) =>
    reply(socket, request, { 38: "      ", 62: "a bank's own way of saying many things" }),
  );
  expect(await connector.purchase(BUY)).toMatchObject({
    outcome: "accepted",
    authorizationCode: "",
    networkReference: expect.stringMatching(/^[0-9]{12}$/),
  });
});

test("an answer without a response code is unknown", async () => {
  const { connector } = await startScripted((request, socket) => {
    const { 39: code, ...fields } = response(request, {}).fields;
    socket.write(frame(encode({ type: "0210", fields })));
  });
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "unparsable" });
});

test.each(["10", "68", "94", "Z9"])("an answer with code %s, which may hide an effect, is unknown", async (code) => {
  const { connector } = await startScripted((request, socket) => reply(socket, request, { 39: code }));
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "undecided", responseCode: code });
});

test.each<[string, (text: string) => string]>([
  ["a length above the element's longest", (text) => text.replace("005buy_1", "041buy_1")],
  ["a length of nothing", (text) => text.replace("005buy_1", "000buy_1")],
  ["a length that is no number", (text) => text.replace("005buy_1", "0x5buy_1")],
  ["a letter among digits", (text) => text.replace("000000002000", "00000000200x")],
  ["a control character", (text) => text.replace("buy_1", "buy_\u0007")],
  ["a bit of the bitmap whose element is not there", (text) => `${text.slice(0, 19)}3${text.slice(20)}`],
  ["a bitmap that is none", (text) => `${text.slice(0, 4)}zz${text.slice(6)}`],
  ["bytes after its last element", (text) => `${text}00`],
  ["another version's type", (text) => `1${text.slice(1)}`],
])("an answer with %s is unknown, and the next request on the same connection is answered", async (_name, spoil) => {
  const { connector, sockets } = await startScripted((request, socket) => {
    if (request.fields[63] === "buy_2") return reply(socket, request, {});
    const whole = encode(response(request, {})).toString("latin1");
    const spoiled = spoil(whole);
    expect(spoiled).not.toBe(whole);
    socket.write(frame(Buffer.from(spoiled, "latin1")));
  });
  expect(await connector.purchase({ ...BUY, timeoutMs: 100 })).toMatchObject({ outcome: "unknown" });
  expect(await connector.purchase({ ...BUY, bankRef: "buy_2" })).toMatchObject({ outcome: "accepted" });
  expect(sockets.size).toBe(1);
});

test("an answer cut off behind its trace number is unknown at once, and its neighbour is answered", async () => {
  const { connector } = await startScripted((request, socket) => {
    if (request.fields[63] === "buy_2") return reply(socket, request, {});
    socket.write(frame(encode(response(request, {})).subarray(0, -2)));
  });
  const answers = await Promise.all([connector.purchase(BUY), connector.purchase({ ...BUY, bankRef: "buy_2" })]);
  expect(answers[0]).toEqual({ outcome: "unknown", reason: "unparsable" });
  expect(answers[1]).toMatchObject({ outcome: "accepted" });
});

test("an answer of another trace number or another type is nobody's: the request times out as unknown", async () => {
  const { connector } = await startScripted((request, socket) => {
    reply(socket, request, { 11: "999999" });
    socket.write(frame(encode({ ...response(request, {}), type: "0110" })));
  });
  expect(await connector.purchase({ ...BUY, timeoutMs: 100 })).toEqual({ outcome: "unknown", reason: "timeout" });
});

test("a second answer, and one after its time, change nothing for later requests", async () => {
  const late: (() => void)[] = [];
  const { connector } = await startScripted((request, socket) => {
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
  const { connector, requests, sockets } = await startScripted((request, socket) => {
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
  const { connector } = await startScripted((request, socket) => {
    const framed = frame(encode(response(request, {})));
    socket.end(framed.subarray(0, framed.length / 2));
  });
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "connection_lost" });
});

test("bytes that are no messages end the connection, and what was on the way is unknown", async () => {
  const { connector } = await startScripted((_request, socket) =>
    socket.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n")),
  );
  expect(await connector.purchase(BUY)).toEqual({ outcome: "unknown", reason: "connection_lost" });
});

test("a repeat goes out with the next message type", async () => {
  const { connector, requests } = await startScripted((request, socket) => reply(socket, request, {}));
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
  const { connector, sockets } = await startScripted((request, socket) => {
    setImmediate(() => reply(socket, request, { 62: (request.fields[63] ?? "").padStart(12, "0") }));
  });
  const refs = Array.from({ length: 1_000 }, (_, index) => String(index));
  const answers = await Promise.all(refs.map((bankRef) => connector.purchase({ ...BUY, bankRef })));
  expect(answers.map((answer) => answer.outcome === "accepted" && Number(answer.networkReference))).toEqual(
    refs.map(Number),
  );
  expect(sockets.size).toBe(1);
});

test("a bank with ten thousand requests on its way is sent no more until some have ended", async () => {
  const { connector, requests } = await startScripted(() => undefined);
  const refs = Array.from({ length: 10_001 }, (_, index) => `buy_${index}`);
  const answers = await Promise.all(refs.map((bankRef) => connector.purchase({ ...BUY, bankRef, timeoutMs: 1_000 })));
  expect(answers.at(-1)).toEqual({ outcome: "not_sent", reason: "overloaded" });
  expect(answers.filter(({ outcome }) => outcome === "unknown").length).toBe(10_000);
  expect(requests.length).toBeLessThanOrEqual(10_000);
});
