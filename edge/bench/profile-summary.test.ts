import { expect, test } from "vitest";
import { readProfileArguments } from "./arguments.ts";
import { describeProcess, describeSum, listTop } from "./profile-report.ts";
import { type CpuProfile, functionOf, packageOf, summarize, sumTimes } from "./profile-summary.ts";

const frameOf = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
const root = "/home/tripe";

test.each([
  [
    "settle",
    "file:///home/tripe/services/writer/settle-charge.ts",
    "services/writer",
    "settle services/writer/settle-charge.ts:10",
  ],
  ["", "file:///home/tripe/edge/serve-route.ts", "edge", "(anonymous) edge/serve-route.ts:10"],
  [
    "send",
    "file:///home/tripe/node_modules/@grpc/grpc-js/build/src/call.js",
    "@grpc/grpc-js",
    "send @grpc/grpc-js/build/src/call.js:10",
  ],
  ["parse", "file:///other/node_modules/pg/lib/result.js?v=1", "pg", "parse pg/lib/result.js:10"],
  ["write", "node:internal/http2/core", "node:http2", "write node:internal/http2/core:10"],
  ["writev", "", "(native)", "writev"],
  ["(garbage collector)", "", "(garbage collector)", "(garbage collector)"],
])("%s of %s belongs to %s", (name, url, packageName, shown) => {
  expect(packageOf(frameOf(name, url), root)).toBe(packageName);
  expect(functionOf(frameOf(name, url), root)).toBe(shown);
});

test("a window of a profile is summed by self time, without what is idle and what is outside", () => {
  const profile: CpuProfile = {
    startTime: 1_000,
    nodes: [
      { id: 1, callFrame: frameOf("(idle)", "") },
      { id: 2, callFrame: frameOf("settle", "file:///home/tripe/services/writer/settle-charge.ts") },
      { id: 3, callFrame: frameOf("writev", "") },
    ],
    // At 1,010, 1,030, 1,060, 1,100 and 1,150 µs.
    samples: [2, 1, 2, 3, 2],
    timeDeltas: [10, 20, 30, 40, 50],
  };
  const { busyUs, byPackage } = summarize(profile, { root, fromUs: 1_020, toUs: 1_200 });
  expect(busyUs).toBe(90);
  expect([...byPackage]).toEqual([
    ["services/writer", 40],
    ["(native)", 50],
  ]);
  expect(listTop(byPackage, 2)).toBe("      25.0 µs   55.6 %  (native)\n      20.0 µs   44.4 %  services/writer");
  expect(sumTimes([byPackage, byPackage]).get("(native)")).toBe(100);
});

test("the samples of a process are scaled to the CPU that the kernel counted", () => {
  const times = new Map([["pg", 3_000]]);
  const one = { name: "reader", summary: { busyUs: 4_000, byPackage: times, byFunction: times }, cpuMs: 2 };
  expect(describeProcess(one, 10)).toMatch(
    /^reader: 200 µs of CPU an operation \(400 sampled\)\n\n +150\.0 µs +100\.0 % {2}pg/,
  );
  expect(describeSum([one, one], 10)).toMatch(/^ +300\.0 µs/);
});

test("a profile is asked for by one kind of work", () => {
  expect(readProfileArguments(["get", "wiring=one"], ["get"])).toMatchObject({
    name: "get",
    seconds: 10,
    wirings: ["one"],
  });
  expect(() => readProfileArguments(["put"], ["get"])).toThrow("work is one of get");
  expect(() => readProfileArguments([], ["get"])).toThrow("npm run profile -- work");
});
