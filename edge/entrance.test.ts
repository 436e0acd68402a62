import { expect, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { createEntrance, type Entrance } from "./entrance.ts";
import { Problem } from "./problem.ts";

const accountId = "acct_1";
const own = { socket: {}, authorization: "Bearer sk_test_1" };
const clock = { ...systemClock, sleep: async () => {} };

async function enterAll({ enter }: Entrance, requests: readonly { page?: string; isYielding?: boolean }[]) {
  const ends: { leave?: () => void; status: number }[] = [];
  for (const { page, isYielding = false } of requests) {
    try {
      const isFromPage = page !== undefined;
      const leave = await enter({ accountId, isFromPage, address: page ?? "127.0.0.1", isYielding, ...own });
      ends.push({ leave, status: 200 });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      ends.push({ status: error.status });
    }
  }
  return ends;
}

const countOf = (ends: readonly { status: number }[], status: number) =>
  ends.filter((end) => end.status === status).length;
const times = <Value>(length: number, value: Value) => Array.from({ length }, () => value);

test("pages take no place of their merchant's own program, and one client not those of all pages", async () => {
  const entrance = createEntrance({ clock });
  const one = await enterAll(entrance, times(100, { page: "203.0.113.1" }));
  expect([countOf(one, 200), countOf(one, 429)]).toEqual([32, 68]);
  const others = await enterAll(
    entrance,
    times(100, {}).map((_, index) => ({ page: `203.0.113.${2 + index}` })),
  );
  expect([countOf(others, 200), countOf(others, 503)]).toEqual([32, 68]);
  const own = await enterAll(entrance, times(200, {}));
  expect([countOf(own, 200), countOf(own, 503)]).toEqual([192, 8]);
  for (const { leave } of [...one, ...others, ...own]) leave?.();
  expect(countOf(await enterAll(entrance, times(230, {})), 200)).toBe(224);
});

test("a page that finds all places taken keeps none of its own", async () => {
  const entrance = createEntrance({ clock });
  const own = await enterAll(entrance, times(224, {}));
  const rest = await enterAll(entrance, times(32, { page: "203.0.113.1" }));
  expect(countOf(rest, 200)).toBe(32);
  const refused = await enterAll(entrance, times(64, { page: "203.0.113.2" }));
  expect(countOf(refused, 503)).toBe(64);
  for (const { leave } of own) leave?.();
  expect(countOf(await enterAll(entrance, times(32, { page: "203.0.113.2" })), 200)).toBe(32);
});

test("pages are refused a second late", async () => {
  const slept: number[] = [];
  const entrance = createEntrance({ clock: { ...systemClock, sleep: async (ms) => void slept.push(ms) } });
  await enterAll(entrance, times(33, { page: "203.0.113.1" }));
  await enterAll(entrance, times(225, {}));
  expect(slept).toEqual([1_000]);
});

test("lists, and sandboxes beside live accounts, leave a quarter of the places to money", async () => {
  const entrance = createEntrance({ clock });
  const yielding = await enterAll(entrance, times(200, { isYielding: true }));
  expect([countOf(yielding, 200), countOf(yielding, 503)]).toEqual([192, 8]);
  const statusFor = (isYielding: boolean) => entrance.problem({ ...own, isYielding })?.status;
  expect([statusFor(true), statusFor(false)]).toEqual([503, undefined]);
  expect(countOf(await enterAll(entrance, times(40, {})), 200)).toBe(32);
});

test("an account with all its places is known by the connection and the key of the request before", async () => {
  const entrance = createEntrance({ clock });
  expect(countOf(await enterAll(entrance, times(230, {})), 200)).toBe(224);
  const statusFor = (origin: Partial<typeof own>) => entrance.problem({ ...own, ...origin, isYielding: false })?.status;
  expect(statusFor({})).toBe(429);
  // Another connection, or another key on this one, may be another merchant's.
  expect(statusFor({ socket: {} })).toBeUndefined();
  expect(statusFor({ authorization: "Bearer sk_test_2" })).toBeUndefined();
});
