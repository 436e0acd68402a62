import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../_runtime/clock.ts";
import { openConnection } from "../connectors/connection.ts";
import { decode, encode, type Message } from "../iso8583/codec.ts";
import { writeOriginal } from "../iso8583/dialect.ts";
import type { FieldNumber } from "../iso8583/fields.ts";
import { createFrameReader, frame } from "../iso8583/frames.ts";
import { testPassword } from "../testing/password.ts";
import { startSandbox } from "../testing/sandbox.ts";

const SIGN_ON: Message = {
  type: "0800",
  fields: { 7: "0101000000", 11: "900001", 70: "001", 96: testPassword },
};

const PURCHASE: Message = {
  type: "0200",
  fields: {
    2: "4242424242424242",
    3: "000000",
    4: "000000002000",
    7: "0101000000",
    11: "000001",
    14: "3412",
    49: "840",
    63: "buy_1",
  },
};

async function setup({ isSignedOn = true } = {}) {
  const { sandbox, statement } = await startSandbox();
  const address = { host: "127.0.0.1", port: sandbox.port };
  const connection = await openConnection(address, { clock: systemClock, timeoutMs: 5_000, onStray: () => undefined });
  onTestFinished(() => connection.destroy("the test is over"));
  const ask = async (message: Message, timeoutMs = 5_000) => {
    const answer = await connection.exchange(message, timeoutMs);
    return answer.outcome === "answered" ? answer.message.fields[39] : answer.outcome;
  };
  if (isSignedOn) expect(await ask(SIGN_ON)).toBe("00");
  return { ask, statement, address };
}

test.each<[string, Message[], string | undefined]>([
  ["a sign-on without a password", [without(SIGN_ON, 96)], "63"],
  ["a sign-on with another password", [{ ...SIGN_ON, fields: { ...SIGN_ON.fields, 96: "F".repeat(32) } }], "63"],
  ["a purchase before signing on", [PURCHASE], undefined],
  ["an inquiry before signing on", [{ type: "0600", fields: PURCHASE.fields }], undefined],
  ["an echo before signing on", [{ ...SIGN_ON, fields: { ...SIGN_ON.fields, 70: "301" } }], undefined],
  ["a wrong sign-on, and a purchase right behind it", [without(SIGN_ON, 96), PURCHASE], "63"],
  ["a right sign-on, then a wrong one and a purchase", [SIGN_ON, without(SIGN_ON, 96), PURCHASE], "00"],
])("%s ends the line, and has no effect", async (_what, messages, code) => {
  const { statement, address } = await setup({ isSignedOn: false });
  const socket = connect(address);
  const answers: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => answers.push(bytes));
  socket.write(Buffer.concat(messages.map((message) => frame(encode(message)))));
  await once(socket, "close");
  const codes = [...createFrameReader().push(Buffer.concat(answers))].map((bytes) => decode(bytes).fields[39]);
  expect(codes[0]).toBe(code);
  expect(codes.slice(1)).toEqual(code === "00" ? ["63"] : []);
  expect(await statement()).toEqual([]);
});

function without({ type, fields }: Message, number: FieldNumber): Message {
  return { type, fields: { ...fields, [number]: undefined } };
}

test("a request without an element it needs is answered 30, has no effect, and the connection goes on", async () => {
  const { ask, statement } = await setup();
  for (const number of [2, 3, 4, 14, 49, 63] as const)
    expect(await ask(without(PURCHASE, number)), `${number}`).toBe("30");
  const undo = { type: "0400", fields: { ...PURCHASE.fields, 61: "buy_1", 63: "undo_1" } };
  expect(await ask(undo)).toBe("30");
  expect(await ask(without({ type: "0600", fields: PURCHASE.fields }, 63))).toBe("30");
  expect(await ask({ ...PURCHASE, fields: { ...PURCHASE.fields, 2: "42424242" } })).toBe("30");
  expect(await ask({ ...PURCHASE, fields: { ...PURCHASE.fields, 3: "990000" } })).toBe("30");
  expect(await ask({ ...PURCHASE, fields: { ...PURCHASE.fields, 48: "9x03314" } })).toBe("30");
  expect(await statement()).toEqual([]);
  expect(await ask(PURCHASE)).toBe("00");
  expect(await ask({ ...undo, fields: { ...undo.fields, 90: writeOriginal("000001") } })).toBe("00");
  expect((await statement()).map(({ kind }) => kind)).toEqual(["purchase", "reversal"]);
});

test("what is said of an original must fit it: another message or code is answered 25, zeros and silence are taken", async () => {
  const { ask, statement } = await setup();
  expect(await ask(PURCHASE)).toBe("00");
  const about = (bankRef: string, change: Message["fields"]): Message => ({
    type: "0200",
    fields: { ...PURCHASE.fields, 3: "200000", 4: "000000000500", 61: "buy_1", 63: bankRef, ...change },
  });
  const named = { type: "0200", traceNumber: "000001", time: "0101000000" };
  const wrong = { ...named, traceNumber: "000002" };
  expect(await ask(about("back_1", {}))).toBe("30");
  expect(await ask(about("back_1", { 90: writeOriginal("000001", wrong) }))).toBe("25");
  expect(await ask(about("back_2", { 38: "A1B2C3", 90: writeOriginal("000001", named) }))).toBe("25");
  expect(await ask(about("back_3", { 90: writeOriginal("000001", named) }))).toBe("00");
  expect(await ask(about("back_4", { 38: "      ", 90: writeOriginal("000001") }))).toBe("00");
  expect((await statement()).map(({ bankRef }) => bankRef)).toEqual(["buy_1", "back_3", "back_4"]);
});

test("a message that cannot be read is not answered and has no effect; those around it are answered", async () => {
  const { statement, address } = await setup();
  const socket = connect(address);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  const text = encode(PURCHASE).toString("latin1");
  const spoiled = [
    text.replace("005buy_1", "041buy_1"),
    text.replace("000000002000", "00000000200x"),
    `${text.slice(0, 19)}3${text.slice(20)}`,
    text.slice(0, 30),
    `${text}0`,
  ];
  socket.write(frame(encode(SIGN_ON)));
  expect(String((await once(socket, "data"))[0])).toContain("0810");
  for (const one of spoiled) {
    expect(one).not.toBe(text);
    socket.write(frame(Buffer.from(one, "latin1")));
  }
  const good = { ...PURCHASE, fields: { ...PURCHASE.fields, 63: "buy_2" } };
  socket.write(frame(encode(good)));
  const [answer] = await once(socket, "data");
  expect(String(answer).includes("005buy_2")).toBe(true);
  expect((await statement()).map(({ bankRef }) => bankRef)).toEqual(["buy_2"]);
});

test("a length that no message has ends that connection, and no other", async () => {
  const { ask, address } = await setup();
  const socket = connect(address);
  await once(socket, "connect");
  socket.write(Buffer.from([0xff, 0xff, 0x30]));
  await once(socket, "close");
  expect(await ask(PURCHASE)).toBe("00");
});
