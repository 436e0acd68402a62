import { expect, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { createConcurrencyLimit } from "../services/_runtime/concurrency-limit.ts";
import { edgeActions } from "../services/_runtime/config.ts";
import { listenOn, openSocket } from "./testing/sockets.ts";
import { startBench } from "./testing/tripe.ts";

// More than may be in progress, at small numbers; `npm run soak -- overload` has a rate several times the peak.
const bench = await startBench({ delayMs: () => 10 });

const PLACES = 8;

/** An edge with eight places, of which one account may have seven. Without live accounts sandboxes yield to nobody. */
function setup() {
  const limit = createConcurrencyLimit({ clock: systemClock, min: PLACES, max: PLACES, targetMs: 300 });
  return { limit, ...bench.edgeOf(edgeActions, { concurrencyLimit: limit, hasLiveBank: false }) };
}

test("what is refused under overload leaves its key free: repeated, each key is one charge", async () => {
  const { ask, limit } = setup();
  const charge = (key: string) =>
    ask({
      method: "POST",
      url: "/v1/charges",
      headers: { "idempotency-key": key, "content-type": "application/x-www-form-urlencoded" },
      payload: `amount=1000&currency=usd&source=tok_visa&metadata[key]=${key}`,
    });
  const idByKey = new Map<string, string>();
  let waiting = Array.from({ length: 40 }, (_, at) => `overload-${at}`);
  for (let round = 0; waiting.length > 0; round += 1) {
    const answers = await Promise.all(waiting.map(async (key) => ({ key, ...(await charge(key)) })));
    const refused = answers.filter(({ status }) => status !== 200);
    // Seven of forty are worked on at once; the others cost nothing and are told to come again.
    expect(refused.length).toBe(Math.max(0, 40 - 7 * (round + 1)));
    for (const { status, headers } of refused) {
      expect([status, headers["retry-after"], headers["stripe-should-retry"]]).toEqual([429, "1", "true"]);
    }
    for (const { key, status, body } of answers) if (status === 200) idByKey.set(key, String(body["id"]));
    waiting = refused.map(({ key }) => key);
  }
  expect(limit.inProgress()).toBe(0);
  expect(new Set(idByKey.values()).size).toBe(40);
  const { body } = await bench.ask({ method: "GET", url: "/v1/charges?limit=100" });
  expect(new Set(idByKey.values())).toEqual(new Set(idsOf(body)));
});

test("a full edge refuses before the key is looked up and the body has come", async () => {
  const { app, limit } = setup();
  const ends = Array.from({ length: PLACES }, () => limit.begin());
  const rpcsCount = bench.log.rpcs.length;
  const client = await openSocket(await listenOn(app));
  const head = ["POST /v1/charges HTTP/1.1", "host: a", "authorization: Bearer sk_test_none", "content-length: 1000"];
  const answer = await client.send(`${[...head, "content-type: application/json"].join("\r\n")}\r\n\r\n`, /Try again/);
  expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*request-id: req_/i);
  expect(bench.log.rpcs.slice(rpcsCount)).toEqual([]);
  // The connection is kept; what needs no place has one.
  expect(await client.send(`${"x".repeat(1_000)}GET /livez HTTP/1.1\r\nhost: a\r\n\r\n`, /edge serving/)).toContain(
    "200 OK",
  );
  for (const end of ends) end();
});

test("lists are refused while money and reads of one object still have places", async () => {
  const { ask, limit } = setup();
  const ends = Array.from({ length: 6 }, () => limit.begin());
  const list = await ask({ method: "GET", url: "/v1/charges" });
  expect([list.status, list.headers["retry-after"]]).toEqual([503, "1"]);
  expect((await ask({ method: "GET", url: "/v1/charges/ch_none" })).status).toBe(404);
  expect((await ask({ method: "POST", url: "/v1/customers" })).status).toBe(200);
  for (const end of ends) end();
  expect((await ask({ method: "GET", url: "/v1/charges" })).status).toBe(200);
});

function idsOf(body: Readonly<Record<string, unknown>>): string[] {
  const data = body["data"];
  return Array.isArray(data) ? data.map(({ id }: { id: string }) => id) : [];
}
