import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createLog, describeError, formatRpc, type RpcLine, silentLog } from "./log.ts";
import { createSecret } from "./secret.ts";

function setup() {
  const dataDir = mkdtempSync(join(tmpdir(), "tripe-log-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const log = createLog({ name: "reader", dataDir });
  const lines = async () => {
    await log.flush();
    const text = readFileSync(join(dataDir, "logs", "reader.log"), "utf8");
    return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
  };
  return { log, lines };
}

test("a log line is JSON with a time, a name and the facts", async () => {
  const { log, lines } = setup();
  log.info("serving", { port: 8_081 });
  const [line] = await lines();
  expect(line).toMatchObject({ level: "info", name: "reader", message: "serving", port: 8_081 });
  expect(Date.parse(line.time)).toBeGreaterThan(0);
});

test("an access line reads as any other line of facts", async () => {
  const { log, lines } = setup();
  const facts = { request_id: "req_1", status: 200, ms: 1.25, end_ms: 1_767_225_600_000 };
  log.access("GET /v1/charges/:id", facts);
  log.info("GET /v1/charges/:id", facts);
  const [access, info] = (await lines()).map((line) => JSON.stringify({ ...line, time: "" }));
  expect(access).toBe(info);
});

test("a secret is not written down, however deep it lies", async () => {
  const { log, lines } = setup();
  log.warn("settings", { database: { url: createSecret("hunter2") }, list: [createSecret("hunter2")] });
  const text = JSON.stringify(await lines());
  expect(text).toContain("[redacted]");
  expect(text).not.toContain("hunter2");
});

test("an error is written with its causes, and without a card's digits", async () => {
  const { log, lines } = setup();
  log.error("lost", new Error("outer", { cause: new Error("card 4242 4242-42424242 failed") }), { rpc: "Submit" });
  const [line] = await lines();
  expect(line).toMatchObject({ level: "error", message: "lost", rpc: "Submit" });
  expect(line.error).toMatch(/outer[\s\S]*caused by Error: card \[redacted\] failed/);
});

test("many lines arrive whole and in order, over and over", async () => {
  const { log, lines } = setup();
  for (let round = 0; round < 5; round += 1) {
    for (let index = 0; index < 1_000; index += 1) log.info("żółw".repeat(20), { index: round * 1_000 + index });
    await Promise.all([log.flush(), log.flush()]);
  }
  expect((await lines()).map((line) => line.index)).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
});

test("anything thrown can be described, and what has no data dir stays silent", async () => {
  expect(describeError("text")).toBe("text");
  expect(describeError(undefined)).toBe("");
  silentLog.error("nothing", undefined);
  await expect(createLog({ name: "x" }).flush()).resolves.toBeUndefined();
});

test("the line of a call is JSON, whatever another process put into its ids", async () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.stringMatching(/^[\w.-]{0,40}$/));
  const call = fc.record(
    {
      request_id: text,
      trace_id: text,
      span_id: text,
      parent_id: text,
      caller: fc.constantFrom("edge", "unproven"),
      service: fc.constant("reader"),
      rpc: fc.constant("GetPayer"),
      start_ms: fc.constant(1_780_000_000_000.25),
      ms: fc.constantFrom(0, 0.01, 5_000),
      code: fc.constantFrom("ok", "not_found"),
      reason: text,
      side: fc.constant("client" as const),
    },
    {
      requiredKeys: [
        "request_id",
        "trace_id",
        "span_id",
        "parent_id",
        "caller",
        "service",
        "rpc",
        "start_ms",
        "ms",
        "code",
      ],
    },
  );
  fc.assert(
    fc.property(call, (line) => {
      const written = `{${formatRpc(line)}}`;
      expect(written).not.toContain("\n");
      expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(line)));
    }),
  );
  const { log, lines } = setup();
  const line: RpcLine = {
    request_id: 'req_"1"',
    trace_id: "t",
    span_id: "s",
    parent_id: "",
    caller: "edge",
    service: "reader",
    rpc: "GetPayer",
    start_ms: 1.5,
    ms: 2,
    code: "ok",
  };
  log.rpc(line);
  expect(await lines()).toEqual([{ level: "info", time: expect.any(String), name: "reader", ...line }]);
});
