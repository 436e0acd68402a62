import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { createTestClock } from "../../_runtime/clock.ts";
import { encode, type Message } from "../iso8583/codec.ts";
import type { FieldValues } from "../iso8583/fields.ts";
import { frame, KEEP_ALIVES_MAX } from "../iso8583/frames.ts";
import { createLines } from "../testing/lines.ts";
import { BUY, reply, type ScriptedOptions, startScripted } from "../testing/scripted-bank.ts";

/** A bank that starts network messages of its own, and what it was answered; it answers no purchase until it is let. */
async function setup(options: ScriptedOptions = {}) {
  const [answers, held]: [Message[], (() => void)[]] = [[], []];
  const bank = await startScripted((request, socket) => {
    if (request.type === "0810") answers.push(request);
    else held.push(() => reply(socket, request, {}));
  }, options);
  await expect.poll(() => bank.connector.problem()).toBe("");
  const send = (fields: FieldValues, type = "0800") => lastOf(bank.sockets).write(frame(encode({ type, fields })));
  const release = () => {
    for (const answer of held.splice(0)) answer();
  };
  return { ...bank, answers, held, send, release };
}

function lastOf(sockets: ReadonlySet<Socket>): Socket {
  const socket = [...sockets].at(-1);
  if (socket === undefined) throw new Error("there is no connection");
  return socket;
}

const NAMED = { 7: "1130070102", 11: "000017" };

test.each<[string, FieldValues, string]>([
  ["an echo", { ...NAMED, 70: "301" }, "00"],
  ["a sign on", { ...NAMED, 70: "001" }, "00"],
  ["an echo without a time", { 11: "000017", 70: "301" }, "00"],
  ["an exchange of keys", { ...NAMED, 70: "101" }, "12"],
  ["a message without its code", NAMED, "30"],
  ["a message without its trace number", { 7: "1130070102", 70: "301" }, "30"],
])("%s that the bank starts is answered, repeat and all, and the connection goes on", async (_name, fields, code) => {
  const { answers, send, sockets, connector, held, release } = await setup();
  send(fields);
  send(fields, "0801");
  await expect.poll(() => answers.length).toBe(2);
  expect(answers).toEqual(Array(2).fill({ type: "0810", fields: { ...fields, 39: code } }));
  const bought = connector.purchase(BUY);
  await expect.poll(() => held.length).toBe(1);
  release();
  expect(await bought).toMatchObject({ outcome: "accepted" });
  expect(sockets.size).toBe(1);
});

test("an echo that comes before the answer to Tripe's sign on is answered, too", async () => {
  const { answers } = await setup({
    reactToNetwork: (request, socket) => {
      socket.write(frame(encode({ type: "0800", fields: { ...NAMED, 70: "301" } })));
      reply(socket, request, {});
    },
  });
  await expect.poll(() => answers.length).toBe(1);
});

test("after the bank's sign off what is on the way is answered, and what follows goes over the next connection", async () => {
  const { log, lines } = createLines();
  const { answers, send, sockets, connector, held, release, port } = await setup({ log });
  const first = connector.purchase(BUY);
  await expect.poll(() => held.length).toBe(1);
  send({ ...NAMED, 70: "002" });
  await expect.poll(() => answers.map(({ fields }) => fields[39])).toEqual(["00"]);
  const second = connector.purchase({ ...BUY, bankRef: "buy_2", timeoutMs: 5_000 });
  release();
  expect(await first).toMatchObject({ outcome: "accepted" });
  await expect.poll(() => held.length, { timeout: 3_000 }).toBe(1);
  expect(sockets.size).toBe(2);
  release();
  expect(await second).toMatchObject({ outcome: "accepted" });
  const bank = { bank: "sandbox", address: `127.0.0.1:${port}` };
  expect(lines("bank connection lost")).toEqual([{ ...bank, problem: "the bank signed off" }]);
});

test("after the bank's sign off an idle connection is ended once it is answered", async () => {
  const { answers, send, sockets } = await setup();
  send({ ...NAMED, 70: "002" });
  await expect.poll(() => answers.map(({ fields }) => fields[39])).toEqual(["00"]);
  await expect.poll(() => sockets.size, { timeout: 3_000 }).toBe(2);
});

test("an answer that does not come within 5 s of the bank's sign off is waited for no longer", async () => {
  const clock = createTestClock();
  const { answers, send, connector, held } = await setup({ clock });
  const first = connector.purchase({ ...BUY, timeoutMs: 600_000 });
  await expect.poll(() => held.length).toBe(1);
  send({ ...NAMED, 70: "002" });
  await expect.poll(() => answers.length).toBe(1);
  clock.advance(5_000);
  expect(await first).toEqual({ outcome: "unknown", reason: "connection_lost" });
});

test("another request of the bank is logged by its type and reference, and not answered", async () => {
  const { log, lines } = createLines();
  const { answers, send, port } = await setup({ log });
  send({ ...NAMED, 63: "buy_9" }, "0420");
  const bank = { bank: "sandbox", address: `127.0.0.1:${port}` };
  await expect
    .poll(() => lines("bank sent an unsolicited message"))
    .toEqual([{ ...bank, type: "0420", bank_ref: "buy_9", count: 1 }]);
  expect(answers).toEqual([]);
});

test("lengths of nothing keep a connection; more of them in a row than any host sends end it", async () => {
  const { sockets, send, answers } = await setup();
  const keepAlives = Buffer.alloc(2 * KEEP_ALIVES_MAX);
  for (let count = 1; count <= 2; count++) {
    lastOf(sockets).write(keepAlives);
    send({ ...NAMED, 70: "301" });
    await expect.poll(() => answers.length).toBe(count);
  }
  expect(sockets.size).toBe(1);
  lastOf(sockets).write(Buffer.alloc(2 * KEEP_ALIVES_MAX + 2));
  await expect.poll(() => sockets.size, { timeout: 3_000 }).toBe(2);
});
