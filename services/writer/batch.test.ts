import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { createBatcher } from "./batch.ts";

interface Running {
  readonly commands: readonly string[];
  answer(): void;
  fail(error: unknown): void;
}

/** Commands are words; those that begin with the same letter share a key. Each run waits for the test to end it. */
function setup() {
  const runs: Running[] = [];
  const submit = createBatcher<string, string>({
    keysOf: (command) => [command.charAt(0)],
    run: (commands) =>
      new Promise((resolve, reject) => {
        runs.push({ commands, answer: () => resolve(commands.map((one) => `${one} done`)), fail: reject });
      }),
  });
  const runOf = async (index: number): Promise<Running> => {
    for (let turns = 0; runs[index] === undefined && turns < 10; turns += 1) await setImmediate();
    const run = runs[index];
    if (run === undefined) throw new Error(`there is no run ${index}`);
    return run;
  };
  return { runs, submit, runOf };
}

test("one command alone is a batch of one, at once", async () => {
  const { submit, runOf } = setup();
  const answer = submit("a");
  const run = await runOf(0);
  expect(run.commands).toEqual(["a"]);
  run.answer();
  expect(await answer).toBe("a done");
});

test("what arrives in one turn shares the first batch, and answers come back to their own", async () => {
  const { submit, runOf } = setup();
  const answers = Promise.all([submit("a"), submit("b"), submit("c")]);
  const run = await runOf(0);
  expect(run.commands).toEqual(["a", "b", "c"]);
  run.answer();
  expect(await answers).toEqual(["a done", "b done", "c done"]);
});

test("while one batch is under way the next one gathers, and no second one runs", async () => {
  const { runs, submit, runOf } = setup();
  const first = submit("a");
  await runOf(0);
  const others = Promise.all([submit("b"), submit("c")]);
  await setImmediate();
  expect(runs).toHaveLength(1);
  runs[0]?.answer();
  await first;
  expect((await runOf(1)).commands).toEqual(["b", "c"]);
  runs[1]?.answer();
  await others;
});

test("commands that share a key never share a batch, and keep their order", async () => {
  const { submit, runOf } = setup();
  const order: string[] = [];
  const all = Promise.all(["a1", "b1", "a2", "a3", "b2"].map((one) => submit(one).then(() => order.push(one))));
  for (const [index, expected] of [["a1", "b1"], ["a2", "b2"], ["a3"]].entries()) {
    const run = await runOf(index);
    expect(run.commands).toEqual(expected);
    run.answer();
  }
  await all;
  expect(order).toEqual(["a1", "b1", "a2", "b2", "a3"]);
});

test("a command that waits for two keys is not overtaken by one that shares either", async () => {
  const runs: (readonly string[][])[] = [];
  const submit = createBatcher<string[], undefined>({
    keysOf: (keys) => keys,
    run: async (commands) => {
      runs.push(commands);
      return commands.map(() => undefined);
    },
  });
  await Promise.all([submit(["a"]), submit(["a", "b"]), submit(["b"])]);
  expect(runs).toEqual([[["a"]], [["a", "b"]], [["b"]]]);
});

test("a batch holds 128 commands at most, the others come in the next", async () => {
  const sizes: number[] = [];
  const submit = createBatcher<number, number>({
    keysOf: (command) => [String(command)],
    run: async (commands) => {
      sizes.push(commands.length);
      return commands;
    },
  });
  const commands = Array.from({ length: 300 }, (_, index) => index);
  expect(await Promise.all(commands.map(submit))).toEqual(commands);
  expect(sizes).toEqual([128, 128, 44]);
});

test("a batch that fails is run one by one, and only the command at fault is refused", async () => {
  const sizes: number[] = [];
  const submit = createBatcher<string, string>({
    keysOf: (command) => [command],
    run: async (commands) => {
      sizes.push(commands.length);
      if (commands.includes("bad")) throw new Error(`no ${commands.join()}`);
      return commands;
    },
  });
  const results = await Promise.allSettled([submit("a"), submit("bad"), submit("c")]);
  expect(sizes).toEqual([3, 1, 1, 1]);
  expect(results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual([
    "a",
    "Error: no bad",
    "c",
  ]);
});

test("a batch that answers less than it was asked is a failure", async () => {
  const submit = createBatcher<string, string>({ keysOf: (command) => [command], run: async () => [] });
  await expect(submit("a")).rejects.toThrow(/answer each of its commands/);
});

test("nothing is answered before its run has ended, and a failure does not stop what comes after", async () => {
  const { submit, runOf } = setup();
  let isAnswered = false;
  const first = submit("a").finally(() => {
    isAnswered = true;
  });
  const run = await runOf(0);
  await setImmediate();
  expect(isAnswered).toBe(false);
  run.fail(new Error("no flush"));
  await expect(first).rejects.toThrow("no flush");
  const second = submit("b");
  (await runOf(1)).answer();
  expect(await second).toBe("b done");
});
