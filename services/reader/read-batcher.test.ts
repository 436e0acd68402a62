import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { createReadBatcher } from "./read-batcher.ts";

interface Running {
  readonly keys: readonly string[];
  answer(): void;
  fail(error: unknown): void;
}

/** Each run waits for the test to end it. */
function setup() {
  const runs: Running[] = [];
  const read = createReadBatcher<string, string>(
    (keys) =>
      new Promise((resolve, reject) => {
        runs.push({ keys, answer: () => resolve(keys.map((key) => `${key} read`)), fail: reject });
      }),
  );
  const keysOfRuns = () => runs.map(({ keys }) => keys);
  return { runs, read, keysOfRuns };
}

const words = (result: PromiseSettledResult<string>) =>
  result.status === "fulfilled" ? result.value : String(result.reason);

test("reads of one turn share a statement, although each comes in a microtask of its own", async () => {
  const { runs, read, keysOfRuns } = setup();
  const answers: Promise<string>[] = [];
  for (const key of ["a", "b", "c"]) {
    await Promise.resolve();
    answers.push(read(key));
  }
  await setImmediate();
  expect(keysOfRuns()).toEqual([["a", "b", "c"]]);
  runs[0]?.answer();
  expect(await Promise.all(answers)).toEqual(["a read", "b read", "c read"]);
});

test("while two statements are in flight the next batch gathers, and starts when either ends", async () => {
  const { runs, read, keysOfRuns } = setup();
  const answers: Promise<string>[] = [];
  for (const key of ["a", "b", "c", "d"]) {
    answers.push(read(key));
    await setImmediate();
  }
  expect(keysOfRuns()).toEqual([["a"], ["b"]]);
  runs[1]?.answer();
  expect(await answers[1]).toBe("b read");
  await vi.waitUntil(() => runs.length === 3);
  expect(keysOfRuns()).toEqual([["a"], ["b"], ["c", "d"]]);
  for (const run of runs) run.answer();
  expect(await Promise.all(answers)).toEqual(["a read", "b read", "c read", "d read"]);
});

test("a read is never answered by a statement that started before it", async () => {
  let value = "old";
  const read = createReadBatcher<string, string>(async (keys) => {
    const seen = value;
    await setImmediate();
    return keys.map(() => seen);
  });
  const before = read("a");
  await setImmediate();
  value = "new";
  expect(await Promise.all([before, read("a")])).toEqual(["old", "new"]);
});

test("a statement takes 256 keys at most", async () => {
  const sizes: number[] = [];
  const read = createReadBatcher<number, number>(async (keys) => {
    sizes.push(keys.length);
    return keys;
  });
  const keys = Array.from({ length: 600 }, (_, index) => index);
  expect(await Promise.all(keys.map(read))).toEqual(keys);
  expect(sizes).toEqual([256, 256, 88]);
});

test("a batch that fails runs again key by key, and only the key at fault is refused", async () => {
  const read = createReadBatcher<string, string>(async (keys) => {
    if (keys.includes("bad")) throw new Error(`cannot read ${keys.join()}`);
    return keys;
  });
  const results = await Promise.allSettled(["a", "bad", "c"].map(read));
  expect(results.map(words)).toEqual(["a", "Error: cannot read bad", "c"]);
});

test("a database that is away is asked once for the whole batch", async () => {
  let runsCount = 0;
  const read = createReadBatcher<string, string>(async () => {
    runsCount += 1;
    throw new ConnectError("the database is away", Code.Unavailable);
  });
  const results = await Promise.allSettled(["a", "b"].map(read));
  expect(results.map(words)).toEqual(Array(2).fill("ConnectError: [unavailable] the database is away"));
  expect(runsCount).toBe(1);
});
