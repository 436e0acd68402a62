import { expect, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { edgeActions } from "../services/_runtime/config.ts";
import { connectionLimitsOf, readOpenFilesMax } from "./guard-connections.ts";
import { listenOn, openSocket, type RawClient } from "./testing/sockets.ts";
import { startBench } from "./testing/tripe.ts";

// A flood of connections, with small numbers; `npm run soak -- idle-sockets` has the large ones.
let delayMs = 0;
const bench = await startBench({ delayMs: () => delayMs });
const FLOODER = "127.0.0.2";
const OTHER = "127.0.0.3";

async function setup(connectionLimits: object, trustedProxies: readonly string[] = []) {
  const { app } = bench.edgeOf(edgeActions, { connectionLimits, trustedProxies });
  const port = await listenOn(app);
  const flood = (count: number, from = FLOODER) =>
    Promise.all(Array.from({ length: count }, () => openSocket(port, from)));
  return { app, port, flood, open: (from?: string) => openSocket(port, from) };
}

const get = (url: string, headers = "") => `GET ${url} HTTP/1.1\r\nhost: a\r\n${headers}\r\n`;
const withKey = `authorization: Bearer ${bench.tripe.secretKey}\r\n`;
const list = (client: RawClient, more = "") => client.send(get("/v1/charges?limit=1", withKey + more), /"has_more"/);
const isOpen = ({ socket }: RawClient) => !socket.destroyed;
const settle = () => systemClock.sleep(100);

test("idle sockets of one client close its own oldest, and no merchant's", async () => {
  const { open, flood } = await setup({ ofClientMax: 10 });
  const merchant = await open();
  await list(merchant);
  const sockets = await flood(30);
  await expect.poll(() => sockets.filter(isOpen).length).toBe(10);
  expect(sockets.slice(-10).every(isOpen)).toBe(true);
  // A merchant behind the flood's own address gets in, and stays.
  const behind = await open(FLOODER);
  await list(behind);
  await flood(30);
  await settle();
  for (const client of [merchant, behind]) expect(await list(client)).toContain("200 OK");
});

test("when all connections are taken the oldest idle one without a good key makes room", async () => {
  const { open, flood } = await setup({ max: 20 });
  const [merchant, other] = await Promise.all([open(), open(OTHER)]);
  await Promise.all([list(merchant), list(other)]);
  const sockets = await flood(60);
  await expect.poll(() => sockets.filter(isOpen).length).toBe(18);
  expect(await (await open()).send(get("/livez"), /edge serving/)).toContain("200 OK");
  for (const client of [merchant, other, await open()]) expect(await list(client)).toContain("200 OK");
});

test("merchants' own idle connections make room at last", async () => {
  const { open } = await setup({ max: 3 });
  const clients = [await open(), await open(), await open()];
  await Promise.all(clients.map((client) => list(client)));
  expect(await list(await open())).toContain("200 OK");
  expect(clients.map(isOpen)).toEqual([false, true, true]);
});

test("while every connection is busy, places are left for health", async () => {
  const { open } = await setup({ max: 2, forHealthMax: 1 });
  const clients = [await open(), await open()];
  await Promise.all(clients.map((client) => list(client)));
  delayMs = 500;
  try {
    const answers = clients.map((client) => list(client));
    await settle();
    expect(await (await open()).send(get("/livez"), /edge serving/)).toContain("200 OK");
    await settle();
    const refused = await (await open()).send(get("/v1/charges", withKey), /"api_error"/);
    expect(refused).toMatch(/^HTTP\/1.1 503 [\s\S]*connection: close\r\nretry-after: 1/i);
    for (const answer of await Promise.all(answers)) expect(answer).toContain("200 OK");
  } finally {
    delayMs = 0;
  }
});

test("an idle connection is kept for a short time until a good key has come, and for longer after it", async () => {
  const { open } = await setup({ strangerIdleMs: 300 });
  const [stranger, wrong, merchant] = await Promise.all([open(), open(), open()]);
  expect(await stranger.send(get("/livez"), /edge serving/)).toMatch(/keep-alive: timeout=0.3/i);
  await wrong.send(get("/v1/charges", "authorization: Bearer sk_test_wrong\r\n"), /"error"/);
  expect(await list(merchant)).toMatch(/keep-alive: timeout=72/i);
  await Promise.all([stranger.closed, wrong.closed]);
  await systemClock.sleep(300);
  expect(await list(merchant)).toContain("200 OK");
  expect(await list(merchant, "connection: close\r\n")).toMatch(/connection: close/i);
  await merchant.closed;
});

test("five seconds and 72 are what an edge keeps without being told otherwise", async () => {
  const { open, app } = await setup({});
  expect(await (await open()).send(get("/livez"), /edge serving/)).toMatch(/keep-alive: timeout=5\r/i);
  expect([app.server.keepAliveTimeout, app.server.maxConnections > 16]).toEqual([72_000, true]);
});

test("a process that may hold few files lets in fewer connections", () => {
  expect(connectionLimitsOf(Number.POSITIVE_INFINITY)).toMatchObject({ max: 2_560, ofClientMax: 768 });
  expect(connectionLimitsOf(1_024)).toMatchObject({ max: 480, ofClientMax: 144 });
  expect(connectionLimitsOf(256)).toMatchObject({ max: 16, ofClientMax: 5 });
  expect(readOpenFilesMax()).toBeGreaterThan(0);
});

test("a trusted proxy's connections are many clients', who are told apart by X-Forwarded-For", async () => {
  const { open, flood } = await setup({ ofClientMax: 2 }, ["127.0.0.0/8"]);
  const sockets = await flood(10);
  await expect.poll(() => sockets.filter(isOpen).length).toBe(10);
  const proxy = await open();
  const ask = (at: number, client: string) =>
    proxy.send(get("/v1/charges", `authorization: Bearer sk_test_w${at}\r\nx-forwarded-for: ${client}\r\n`), /"error"/);
  const answers: string[] = [];
  for (let at = 0; at < 60; at += 1) answers.push(await ask(at, "10.9.9.9"));
  expect(answers.some((answer) => answer.includes(" 429 "))).toBe(true);
  expect(await ask(60, "10.9.9.8")).toContain(" 401 ");
});

test("whom no one trusts does not choose the address it counts by", async () => {
  const { open } = await setup({}, ["10.0.0.0/8"]);
  const client = await open();
  const statuses = new Set<string>();
  for (let at = 0; at < 60; at += 1) {
    const headers = `authorization: Bearer sk_test_w${at}\r\nx-forwarded-for: 10.9.9.${at}\r\n`;
    statuses.add((await client.send(get("/v1/charges", headers), /"error"/)).slice(9, 12));
  }
  expect(statuses).toEqual(new Set(["401", "429"]));
});

test("requests sent without waiting are sixteen at once, and the rest is refused", async () => {
  const { open } = await setup({});
  const client = await open();
  const answer = await client.send(
    get("/v1/charges?limit=1", withKey).repeat(40) + get("/livez", "connection: close\r\n"),
    /"error"[\s\S]*connection: close/i,
  );
  const statuses = [...answer.matchAll(/HTTP\/1.1 (\d{3})/g)].map(([, status]) => status);
  expect(statuses.filter((status) => status === "200").length).toBeGreaterThanOrEqual(16);
  expect(statuses.filter((status) => status === "429").length).toBeGreaterThanOrEqual(20);
});
