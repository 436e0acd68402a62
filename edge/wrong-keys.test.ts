import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { createApiKeyLookup } from "./api-key-lookup.ts";
import { Problem } from "./problem.ts";
import { addAccount, addKey } from "./testing/keys.ts";
import { startBench } from "./testing/tripe.ts";

// A flood of wrong keys, each another one, beside merchants.
let delayMs = 0;
const bench = await startBench({ delayMs: ({ rpc }) => (rpc === "FindApiKeys" ? delayMs : 0) });
const { ask } = bench;

const FLOODER = "10.0.0.9";
let made = 0;
const wrongKey = () => {
  made += 1;
  return `sk_test_wrong${made}`;
};
const lookUp = (key: string, remoteAddress = FLOODER) => ask({ method: "GET", url: "/v1/refunds", key, remoteAddress });
const flood = (count: number, remoteAddress?: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => lookUp(wrongKey(), remoteAddress?.(at)));
const statusesOf = async (answers: readonly Promise<{ status: number }>[]) =>
  new Set((await Promise.all(answers)).map(({ status }) => status));
const lookUps = () => bench.log.rpcs.filter(({ rpc }) => rpc === "FindApiKeys").length;

test("a flood of wrong keys is told to wait, while the right one opens from the same address", async () => {
  const before = lookUps();
  const wrong = flood(100);
  const right = Array.from({ length: 20 }, () => lookUp(bench.tripe.secretKey));
  expect(await statusesOf(right)).toEqual(new Set([200]));
  const answers = await Promise.all(wrong);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
  // Twenty a second and client; the hundred are over within a second or two.
  expect(answers.filter(({ status }) => status === 401).length).toBeLessThan(100);
  expect(answers.find(({ status }) => status === 429)?.headers["retry-after"]).toBe("1");
  expect(lookUps() - before).toBeLessThan(10);
});

test("headers that hold no key count as wrong keys do", async () => {
  const ask401 = () =>
    ask({
      method: "GET",
      url: "/v1/refunds",
      key: null,
      headers: { authorization: "Digest x" },
      remoteAddress: "10.0.0.6",
    });
  expect(await statusesOf(Array.from({ length: 60 }, ask401))).toEqual(new Set([401, 429]));
});

test("a good key that was never seen gets in from an address that floods", async () => {
  await addAccount(bench.tripe.database.urls.owner, "sk_test_firsttime12345");
  const wrong = flood(60);
  expect((await lookUp("sk_test_firsttime12345")).status).toBe(200);
  await Promise.all(wrong);
  const more = flood(60);
  expect(await statusesOf(more)).toContain(429);
});

test("right keys, used together for the first time from one address, are not counted against it", async () => {
  const { accountId, database } = bench.tripe;
  const texts = Array.from({ length: 40 }, (_, at) => `sk_test_shop${at}123456789`);
  await Promise.all(texts.map((text) => addKey(database.urls.owner, { accountId, text })));
  expect(await statusesOf(texts.map((text) => lookUp(text, "10.0.0.8")))).toEqual(new Set([200]));
  expect((await lookUp(wrongKey(), "10.0.0.8")).status).toBe(401);
});

test("an IPv6 client counts by the first 64 bits of its address", async () => {
  const statuses = await statusesOf(flood(60, (at) => `2001:db8:1:2::${at + 1}`));
  expect(statuses).toEqual(new Set([401, 429]));
  expect((await lookUp(wrongKey(), "2001:db8:1:3::1")).status).toBe(401);
});

test("one client that floods leaves places for the first-time keys of others", async () => {
  const { accountId, database } = bench.tripe;
  await addKey(database.urls.owner, { accountId, text: "sk_test_newcomer123456" });
  const { find } = createLookup();
  delayMs = 100;
  try {
    const wrong = Array.from({ length: 500 }, () => find(wrongKey(), FLOODER));
    expect(await find("sk_test_newcomer123456", "10.0.0.7")).toBe("found");
    expect(new Set(await Promise.all(wrong))).toEqual(new Set(["nobody's", 429]));
  } finally {
    delayMs = 0;
  }
});

test("wrong keys from many addresses fill their own places, and known keys pass", async () => {
  const { find } = createLookup();
  await find(bench.tripe.secretKey, FLOODER);
  delayMs = 100;
  try {
    const wrong = Array.from({ length: 1_500 }, (_, at) => find(wrongKey(), `10.1.${at % 250}.1`));
    expect(await find(bench.tripe.secretKey, FLOODER)).toBe("found");
    expect(new Set(await Promise.all(wrong))).toEqual(new Set(["nobody's", 503]));
  } finally {
    delayMs = 0;
  }
});

test("ten thousand wrong keys and more drop no known key, and are read by hundreds", async () => {
  const { find } = createLookup();
  await find(bench.tripe.secretKey, FLOODER);
  const before = lookUps();
  for (let round = 0; round < 12; round += 1) {
    const wrong = Array.from({ length: 1_000 }, (_, at) => find(wrongKey(), `10.1.${at % 250}.1`));
    expect(new Set(await Promise.all(wrong))).toEqual(new Set(["nobody's"]));
  }
  const after = lookUps();
  expect(after - before).toBeLessThan(100);
  expect(await find(bench.tripe.secretKey, FLOODER)).toBe("found");
  expect(lookUps()).toBe(after);
});

/** A lookup of its own over the real reader; says what came of a key in one word, or the status of its refusal. */
function createLookup() {
  const keys = createApiKeyLookup({ reader: bench.tripe.clientsOf("edge").reader, clock: systemClock });
  return {
    async find(text: string, ip: string) {
      try {
        const found = await keys.find(hash("sha256", text, "base64"), { ip });
        return found === undefined ? "nobody's" : "found";
      } catch (error) {
        if (error instanceof Problem) return error.status;
        throw error;
      }
    },
  };
}
