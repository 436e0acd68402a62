import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { createTestClock } from "../../_runtime/clock.ts";
import { AWAY_MS, createBreaker } from "../breaker.ts";
import { parseFaults } from "../sandbox/faults.ts";
import { createLines } from "../testing/lines.ts";
import { connectTo, startSandbox } from "../testing/sandbox.ts";
import { BUY, listenScripted, reply, startScripted } from "../testing/scripted-bank.ts";

/** A port that nobody listens at: one that was just let go of. */
async function freePort(): Promise<number> {
  const { server, port } = await listenScripted(() => undefined);
  server.close();
  await once(server, "close");
  return port;
}

/** What every line of the log says of a bank at this port. */
function at(port: number) {
  return { bank: "sandbox", address: `127.0.0.1:${port}` };
}

test("a request waits for a bank that comes up, and is then sent once", async () => {
  const port = await freePort();
  const answer = connectTo(port).purchase(BUY);
  const seen: string[] = [];
  await listenScripted(
    (request, socket) => {
      seen.push(request.type);
      reply(socket, request, {});
    },
    new Set(),
    port,
  );
  expect(await answer).toMatchObject({ outcome: "accepted" });
  expect(seen.filter((type) => type === "0200").length).toBe(1);
});

test("a bank that refuses to sign us on is not sent anything", async () => {
  const { connector, requests, network } = await startScripted(() => undefined, {
    reactToNetwork: (request, socket) => reply(socket, request, { 39: "58" }),
  });
  expect(await connector.purchase({ ...BUY, timeoutMs: 200 })).toEqual({ outcome: "not_sent", reason: "unreachable" });
  expect(requests).toEqual([]);
  expect(new Set(network.map(({ fields }) => fields[70]))).toEqual(new Set(["001"]));
});

test.each<[string, (socket: Socket) => void]>([
  ["ends", (socket) => socket.end()],
  ["resets", (socket) => socket.resetAndDestroy()],
])(
  "while the bank %s connections, requests wait for the next one: none is refused for the dying one",
  async (_, cut) => {
    const { connector, sockets } = await startScripted((request, socket) => reply(socket, request, {}));
    expect(await connector.echo(5_000)).toBe(true);
    const outcomes: string[] = [];
    for (let round = 0; round < 20; round++) {
      for (const socket of sockets) cut(socket);
      sockets.clear();
      // Over several turns of the loop, so that some come before, some while and some after the end is heard.
      for (let turn = 0; turn < 10; turn++) {
        await new Promise(setImmediate);
        outcomes.push(...(await Promise.all([connector.purchase(BUY), connector.purchase(BUY)])).map((a) => a.outcome));
      }
    }
    expect(outcomes.filter((outcome) => outcome === "not_sent")).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === "accepted").length).toBeGreaterThan(300);
  },
  20_000,
);

test("a restart of the bank costs the requests that come meanwhile only time", async () => {
  const { connector, sockets, server, port } = await startScripted((request, socket) => reply(socket, request, {}));
  const breaker = createBreaker(connector);
  expect(await connector.echo(5_000)).toBe(true);
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
  await expect.poll(() => connector.awayMs(), { interval: 1 }).toBeGreaterThan(0);
  const answers = Promise.all(Array.from({ length: 50 }, () => connector.purchase({ ...BUY, timeoutMs: 5_000 })));
  expect(breaker.mayTry()).toBe(true);
  await listenScripted((request, socket) => reply(socket, request, {}), new Set(), port);
  expect((await answers).filter(({ outcome }) => outcome !== "accepted")).toEqual([]);
  expect(connector.awayMs()).toBe(0);
});

test("the breaker opens after ten seconds without a connection, and closes with the next one", async () => {
  const clock = createTestClock();
  const port = await freePort();
  const breaker = createBreaker(connectTo(port, clock));
  clock.advance(AWAY_MS - 1);
  expect(breaker.mayTry()).toBe(true);
  clock.advance(1);
  expect(breaker.mayTry()).toBe(false);
  await listenScripted((request, socket) => reply(socket, request, {}), new Set(), port);
  await expect.poll(() => [clock.advance(200), breaker.mayTry()][1]).toBe(true);
});

test("a bank that loses 15 % of its answers never opens the breaker, nor makes a request not sent", async () => {
  const { connector } = await startSandbox(parseFaults("15:lose=15"));
  const breaker = createBreaker(connector);
  const outcomes = new Map<string, number>();
  const work = async (name: number) => {
    for (let index = 0; index < 20; index++) {
      expect(breaker.mayTry()).toBe(true);
      const bankRef = `buy_${name}_${index}`;
      const { outcome } = await connector.purchase({ ...BUY, bankRef, timeoutMs: 100 });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, name) => work(name)));
  expect(connector.awayMs()).toBe(0);
  expect([...outcomes.keys()].sort()).toEqual(["accepted", "unknown"]);
  expect(outcomes.get("unknown")).toBeGreaterThan(30);
});

test("a lost answer alone is asked after with an echo, and the connection stays", async () => {
  const { connector, network, sockets } = await startScripted(() => undefined);
  expect(await connector.purchase({ ...BUY, timeoutMs: 50 })).toEqual({ outcome: "unknown", reason: "timeout" });
  await expect.poll(() => network.map(({ fields }) => fields[70])).toEqual(["001", "301"]);
  expect(await connector.echo(5_000)).toBe(true);
  expect([connector.awayMs(), sockets.size]).toEqual([0, 1]);
});

test("a bank that says nothing to an echo either has its connection ended; one that says anything keeps it", async () => {
  const clock = createTestClock();
  const { log, lines } = createLines();
  const strays = () => lines("bank sent an unsolicited message");
  let speak: (socket: Socket) => void = (socket) => reply(socket, { type: "0200", fields: { 11: "000001" } }, {});
  const { network, sockets } = await startScripted(() => undefined, {
    clock,
    log,
    firstTraceNumber: 900_001,
    reactToNetwork: (request, socket) => {
      if (request.fields[70] === "301") speak(socket);
      else reply(socket, request, {});
    },
  });
  // Time passes until the bank has been asked; each echo is answered to nobody, which shows that it is there.
  await expect.poll(() => [clock.advance(5_000), strays().length][1]).toBe(2);
  expect([sockets.size, [...sockets][0]?.destroyed]).toEqual([1, false]);
  speak = () => undefined;
  await expect.poll(() => [clock.advance(5_000), sockets.size][1]).toBe(2);
  expect(network.filter(({ fields }) => fields[70] === "001").length).toBe(2);
});

test("trace numbers of our own go on at 900,000 after 999,999, and pass by those that still wait for their answer", async () => {
  const held: (() => void)[] = [];
  const { connector, requests } = await startScripted(
    (request, socket) => {
      if (request.fields[63] === "held") held.push(() => reply(socket, request, {}));
      else reply(socket, request, {});
    },
    { firstTraceNumber: 999_998 },
  );
  // The signing on has taken 999,998.
  const waiting = [connector.purchase({ ...BUY, bankRef: "held" }), connector.purchase({ ...BUY, bankRef: "held" })];
  await expect.poll(() => held.length).toBe(2);
  await connector.purchase({ ...BUY, bankRef: "next" });
  expect(requests.map(({ fields }) => fields[11])).toEqual(["999999", "900000", "900001"]);
  for (const answer of held) answer();
  expect((await Promise.all(waiting)).map(({ outcome }) => outcome)).toEqual(["accepted", "accepted"]);
});

test("an attempt's own trace number may wait twice: one answer is one to both, and the second is nobody's", async () => {
  const { log, lines } = createLines();
  const held: (() => void)[] = [];
  const { connector, requests } = await startScripted(
    (request, socket) => held.push(() => reply(socket, request, {})),
    { log },
  );
  const buy = { ...BUY, trace: { traceNumber: 42, timeMs: Date.UTC(2026, 10, 30, 7, 1, 2) } };
  const answers = Promise.all([connector.purchase(buy), connector.purchase({ ...buy, isRepeat: true })]);
  await expect.poll(() => held.length).toBe(2);
  for (const answer of held) answer();
  expect((await answers).map(({ outcome }) => outcome)).toEqual(["accepted", "accepted"]);
  expect(requests.map(({ type, fields }) => [type, fields[11], fields[7]])).toEqual([
    ["0200", "000042", "1130070102"],
    ["0201", "000042", "1130070102"],
  ]);
  await expect.poll(() => lines("bank sent an unsolicited message").length).toBe(1);
});

test("a bank that cannot be reached says why, once, until the reason changes", async () => {
  const { log, lines } = createLines();
  const port = await freePort();
  const connector = connectTo(port, undefined, { log });
  const refused = "nothing listens at the bank's address (connection refused)";
  await expect.poll(() => connector.problem()).toBe(refused);
  const { server } = await listenScripted((request, socket) => reply(socket, request, { 39: "58" }), new Set(), port);
  const denied = "the bank refused to sign us on: response code 58";
  await expect.poll(() => connector.problem(), { timeout: 5_000 }).toBe(denied);
  server.close();
  expect(lines("bank unreachable")).toEqual([
    { ...at(port), problem: refused },
    { ...at(port), problem: denied },
  ]);
});

test("a card number that a bank sends instead of a reference does not reach the log", async () => {
  const { log, lines } = createLines();
  const { connector, port } = await startScripted(
    (request, socket) => {
      reply(socket, request, { 11: "000001", 63: `pan ${BUY.card.number.reveal()}` });
      reply(socket, request, {});
    },
    { log },
  );
  expect(await connector.purchase(BUY)).toMatchObject({ outcome: "accepted" });
  expect(lines("bank sent an unsolicited message")).toEqual([
    { ...at(port), type: "0210", bank_ref: "pan [digits]", count: 1 },
  ]);
});

test("late and second answers are counted and logged with nothing but their reference", async () => {
  const { log, lines } = createLines();
  const strays = () => lines("bank sent an unsolicited message");
  const late: (() => void)[] = [];
  const { connector, port } = await startScripted(
    (request, socket) => {
      if (request.fields[63] === "late") late.push(() => reply(socket, request, {}));
      else for (let count = 0; count < 2; count++) reply(socket, request, {});
    },
    { log },
  );
  expect(await connector.purchase({ ...BUY, bankRef: "late", timeoutMs: 50 })).toMatchObject({ outcome: "unknown" });
  for (const answer of late) answer();
  expect(await connector.purchase({ ...BUY, bankRef: "twice" })).toMatchObject({ outcome: "accepted" });
  await expect.poll(() => strays().length).toBe(2);
  expect(strays()).toEqual([
    { ...at(port), type: "0210", bank_ref: "late", count: 1 },
    { ...at(port), type: "0210", bank_ref: "twice", count: 2 },
  ]);
});
