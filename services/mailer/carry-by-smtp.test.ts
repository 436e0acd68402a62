import { createServer } from "node:net";
import { simpleParser } from "mailparser";
import { expect, onTestFinished, test, vi } from "vitest";
import { DeliveryState } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { createTestClock, systemClock } from "../_runtime/clock.ts";
import { silentLog } from "../_runtime/log.ts";
import { createSecret } from "../_runtime/secret.ts";
import { createSmtpCarrier } from "./carry-by-smtp.ts";
import { createMailerClient } from "./testing/client.ts";
import { type Behaviour, startServer } from "./testing/mail-server.ts";
import { invoiceRequest, receiptRequest } from "./testing/requests.ts";

// Real sockets on a busy machine take their time; that is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

const { ACCEPTED, FAILED, POSTPONED, UNKNOWN } = DeliveryState;

async function setup(behaviour: Behaviour = {}, clock = systemClock) {
  const server = await startServer(behaviour);
  const { client } = connect(server.url, clock);
  onTestFinished(() => server.close());
  const statesOf = async (recipients = ["ann@example.com"]) => {
    const { deliveries } = await client.sendReceipt({ ...receiptRequest(), recipients });
    return deliveries.map(({ state }) => state);
  };
  return { server, client, statesOf };
}

function connect(url: string, clock = systemClock) {
  const carrier = createSmtpCarrier({ url: createSecret(url), log: silentLog });
  onTestFinished(() => carrier.close());
  return { client: createMailerClient(carrier, clock) };
}

test("a mail server gets the mail as it was written, and its answer is the reply", async () => {
  const { server, client } = await setup();
  const request = invoiceRequest();
  const { messageId, deliveries } = await client.sendInvoice({
    ...request,
    recipients: ["ann@example.com", "b@ü.example"],
  });
  expect(deliveries.map(({ state }) => state)).toEqual([ACCEPTED, ACCEPTED]);
  expect(deliveries[0]?.reply).toMatch(/^250 /);
  expect(server.received).toHaveLength(1);
  expect(server.received[0]?.recipients[0]).toBe("ann@example.com");
  const mail = await simpleParser(server.received[0]?.bytes ?? "");
  expect(mail.messageId).toBe(`<${messageId}>`);
  expect(mail.attachments[0]?.content).toEqual(Buffer.from(request.pdf));
});

test("a password goes to a server without TLS on this machine, or where the url says so, and nowhere else", async () => {
  const { server } = await setup();
  // 0.0.0.0 leads to this machine, and is no loopback address.
  const login = async (host: string, query = "") => {
    const count = server.logins.length;
    const { client } = connect(`smtp://ann:hunter2@${host}:${new URL(server.url).port}${query}`);
    const { deliveries } = await client.sendReceipt(receiptRequest());
    return { state: deliveries[0]?.state, logins: server.logins.slice(count) };
  };
  const logins = ["ann:hunter2"];
  expect(await login("127.0.0.1")).toEqual({ state: ACCEPTED, logins });
  expect(await login("0.0.0.0", "?requireTLS=false")).toEqual({ state: ACCEPTED, logins });
  for (const query of ["", "?ignoreTLS=true", "?requireTLS=true"]) {
    expect(await login("0.0.0.0", query), query).toEqual({ state: POSTPONED, logins: [] });
  }
});

test.each<[string, Behaviour, DeliveryState]>([
  ["421 at the recipient", { recipient: () => "421 closing" }, POSTPONED],
  ["451 at the recipient", { recipient: () => "451 try later" }, POSTPONED],
  ["550 at the recipient", { recipient: () => "550 no such user" }, FAILED],
  ["451 at the sender", { sender: "451 try later" }, POSTPONED],
  ["553 at the sender", { sender: "553 not you" }, FAILED],
  ["451 after the dot", { dot: "451 try later" }, POSTPONED],
  ["421 after the dot", { dot: "421 closing" }, POSTPONED],
  ["552 after the dot", { dot: "552 too large" }, FAILED],
  ["554 as its greeting", { greeting: "554 no service here" }, POSTPONED],
  ["a cut line before the mail", { cutsAtRecipient: true }, POSTPONED],
  ["a cut line after the dot", { dot: "cut" }, UNKNOWN],
])("a server that answers %s", async (_what, behaviour, expected) => {
  const { statesOf } = await setup(behaviour);
  expect(await statesOf()).toEqual([expected]);
});

test("a mail that may have been taken is not sent again behind the caller's back", async () => {
  const { server, statesOf } = await setup({ dot: "cut" });
  expect(await statesOf()).toEqual([UNKNOWN]);
  // The pool would wait 50 ms before a second try; the mail after next goes out over a connection of its own.
  expect(await statesOf(["bob@example.com"])).toEqual([UNKNOWN]);
  expect(server.received.map(({ recipients }) => recipients)).toEqual([["ann@example.com"], ["bob@example.com"]]);
});

test("one of three recipients refused does not cost the other two", async () => {
  const recipient = (address: string) => (address.startsWith("bob") ? "550 no such user" : undefined);
  const { server, client } = await setup({ recipient });
  const recipients = ["ann@example.com", "bob@example.com", "cyd@example.com"];
  const { deliveries } = await client.sendReceipt({ ...receiptRequest(), recipients });
  expect(deliveries).toMatchObject([
    { state: ACCEPTED },
    { state: FAILED, reply: "550 no such user" },
    { state: ACCEPTED },
  ]);
  expect(server.received[0]?.recipients).toEqual(["ann@example.com", "cyd@example.com"]);
});

test("recipients all refused for different reasons keep their own", async () => {
  const recipient = (address: string) => (address.startsWith("bob") ? "550 no such user" : "451 try later");
  const { statesOf } = await setup({ recipient });
  expect(await statesOf(["ann@example.com", "bob@example.com"])).toEqual([POSTPONED, FAILED]);
});

test("a server that is down postpones the mail", async () => {
  const { server, statesOf } = await setup();
  await server.close();
  expect(await statesOf()).toEqual([POSTPONED]);
});

test("a server that says nothing after the dot leaves it unknown when time is up", async () => {
  const clock = createTestClock();
  const { server, statesOf } = await setup({ dot: "silence" }, clock);
  const states = statesOf();
  await vi.waitFor(() => expect(server.received).toHaveLength(1));
  clock.advance(14_600);
  expect(await states).toEqual([UNKNOWN]);
});

test("a server that never greets postpones the mail when time is up", async () => {
  const silent = createServer();
  const connected = new Promise((resolve) => silent.once("connection", resolve));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void silent.close());
  const address = silent.address();
  const clock = createTestClock();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { client } = connect(`smtp://127.0.0.1:${port}`, clock);
  const sent = client.sendReceipt(receiptRequest());
  await connected;
  clock.advance(14_600);
  expect((await sent).deliveries).toMatchObject([{ state: POSTPONED }]);
});

test("fifty mails at once go out over at most five connections, each once", async () => {
  const { server, client } = await setup();
  const requests = Array.from({ length: 50 }, (_, index) => ({
    ...receiptRequest(),
    requestId: `ch_${index}/receipt`,
  }));
  const answers = await Promise.all(requests.map((request) => client.sendReceipt(request)));
  expect(new Set(answers.map(({ messageId }) => messageId)).size).toBe(50);
  expect(server.received).toHaveLength(50);
  expect(server.mostConnections()).toBeLessThanOrEqual(5);
});
