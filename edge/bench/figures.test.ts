import { expect, test } from "vitest";
import { readBenchArguments } from "./arguments.ts";
import { nameOf, parseStat } from "./cpu.ts";
import { figureOf, missingFigure } from "./figure.ts";
import { createPicker, zipfWeights } from "./pick-template.ts";
import { tableOf } from "./report.ts";
import { mergeResults } from "./results.ts";
import { readPssMb } from "./start.ts";
import { percentileOf, percentilesOf } from "./statistics.ts";

test("a figure is one line of JSON with its ratio, and holds or not", () => {
  const figure = figureOf({ measure: "P1", wiring: "one", value: 1104.2, yardstick: 2100, goal: 1.5 });
  expect(JSON.stringify(figure)).toBe(
    '{"measure":"P1","wiring":"one","value":1104,"yardstick":2100,"ratio":0.526,"goal":1.5,"holds":false}',
  );
});

test("a most is judged the other way round, a value without yardstick by itself, and no goal is no judgement", () => {
  expect(figureOf({ measure: "P2", wiring: "processes", value: 39, goal: 40, bound: "most" }).holds).toBe(true);
  expect(figureOf({ measure: "P2", wiring: "processes", value: 41, goal: 40, bound: "most" }).holds).toBe(false);
  expect(figureOf({ measure: "P1", wiring: "one", value: 5, yardstick: 2, goal: 2.5 }).holds).toBe(true);
  expect(figureOf({ measure: "P1", wiring: "one", value: 5 }).holds).toBeNull();
});

test("percentiles of an unsorted sample", () => {
  const latencies = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(percentilesOf(latencies)).toEqual({ p50: 51, p99: 100, max: 100 });
  expect(percentileOf([], 0.5)).toBeNaN();
});

test("a picker takes templates by their weights", () => {
  const pick = createPicker([{ weight: 3 }, { weight: 1 }]);
  expect([0, 0.5, 0.74, 0.75, 0.999].map(pick)).toEqual([0, 0, 0, 1, 1]);
  expect(zipfWeights(4)).toEqual([1, 1 / 2, 1 / 3, 1 / 4]);
});

test("CPU is read from /proc, whatever a process calls itself", () => {
  const stat = "7 (node (x) y) S 1 7 7 0 -1 4194560 9 8 0 0 12 34 5 6 20 0 11 0 100 0 0";
  expect(parseStat(stat)).toEqual({ ownMs: 460, reapedMs: 110 });
  expect(nameOf({ command: "node /x/services/reader/main.ts" })).toBe("reader");
  expect(nameOf({ command: "node /x/services/bank/sandbox/main.ts" })).toBe("sandbox-bank");
  expect(nameOf({ command: "node /x/edge/main.ts" })).toBe("edge");
  expect(nameOf({ command: "node /x/bundle-12ab/edge.mjs --listen-fd=4" })).toBe("edge");
  expect(nameOf({ command: "node /x/bundle-12ab/sandbox-bank.mjs" })).toBe("sandbox-bank");
  expect(nameOf({ command: "sleep 5" })).toBeUndefined();
});

test("memory is the proportional set size, in MB", () => {
  expect(readPssMb("55d3-7ffd [rollup]\nRss:  90000 kB\nPss:  62500 kB\nPss_Dirty: 5 kB\n")).toBe(64);
});

test("arguments name measures, sizes, one wiring and the ref before", () => {
  const asked = readBenchArguments(["charges", "seconds=5", "wiring=one", "--against", "main~3"], ["charges"]);
  expect(asked).toMatchObject({ names: ["charges"], wirings: ["one"], against: "main~3" });
  expect(asked.sizes).toMatchObject({ seconds: 5, turns: 2, connections: 128 });
});

test.each([
  [["speed"], "there is no measure speed; there are charges"],
  [["minutes=5"], "there is no size minutes"],
  [["seconds=0"], "seconds is a whole number from 1 to 600, not 0"],
  [["wiring=two"], "wiring is one or processes"],
  [["--against"], "--against takes a git ref"],
])("arguments such as %j are refused in words", (words, refusal) => {
  expect(() => readBenchArguments(words, ["charges"])).toThrow(refusal);
});

test("the table shows before beside now, and why a figure was not taken", () => {
  const now = figureOf({ measure: "P1", wiring: "one", value: 2, yardstick: 4, goal: 1 });
  const before = figureOf({ measure: "P1", wiring: "one", value: 1, yardstick: 4, goal: 1 });
  const missing = missingFigure({ measure: "P2", wiring: "processes", goal: 40 }, "no lanes\nat all");
  expect(tableOf([now, missing], [before]).split("\n")).toEqual([
    "measure        value  yardstick  before  now  goal  holds",
    "P1, one        2      4          0.25    0.5  1     no",
    "P2, processes                                 40    not taken: no lanes",
  ]);
});

test("results take the place of those of the same name; before and what is written by hand stay", () => {
  const run = (value: number, measure = "P1") => ({
    figures: [figureOf({ measure, wiring: "one", value, goal: 1 })],
    notes: [],
    voids: [],
  });
  const { sizes } = readBenchArguments([], []);
  const about = { rig: "a rig", sizes, commits: { before: "old", after: "new" }, minutes: 1 };
  const first = mergeResults("", { ...about, before: run(0.5), after: run(2) });
  const byHand = first.replace("## What is left\n\n", "## What is left\n\n### P1\n\nThe socket writes.\n");
  const second = mergeResults(byHand, { ...about, before: undefined, after: run(3) });
  const third = mergeResults(second, { ...about, before: undefined, after: run(7, "P10") });
  expect(third).toContain("| P1, one | 0.5 | 3 | 1 | yes | 3 | 2 |\n| P10, one |  | 7 | 1 | yes | 7 | 3 |\n");
  expect(third).toContain("### P1\n\nThe socket writes.\n");
  expect(third.match(/^\d+\. new/gm)).toHaveLength(3);
  // A goal that is missed has one place for its profile, and keeps it.
  const fourth = mergeResults(third, { ...about, before: undefined, after: run(0.7, "P5") });
  const fifth = mergeResults(fourth, { ...about, before: undefined, after: run(0.8, "P5") });
  expect(fifth).toContain("The socket writes.\n\n### P5, one\n\n`npm run profile -- get wiring=one`:\n");
  expect(fifth.match(/### P5/g)).toHaveLength(1);
});
