import { expect, test } from "vitest";
import type { RpcLine } from "../../services/_runtime/log.ts";
import { drawTree, readCall } from "./trace-tree.ts";

function line(span: string, parent: string, more: Partial<RpcLine> = {}): RpcLine {
  return {
    request_id: "req_1",
    trace_id: "t",
    span_id: span,
    parent_id: parent,
    caller: "edge",
    service: "reader",
    rpc: "GetPayer",
    start_ms: 1_000,
    ms: 1,
    code: "ok",
    ...more,
  };
}

const shape = (tree: string) => tree.split("\n").map((row) => row.replace(/^ *[\d.]+ +[\d.]+ ms {2}/, ""));

test("calls are drawn below the call that made them, in the order they started", () => {
  const tree = drawTree([
    line("c", "b", { caller: "transactions", service: "bank", rpc: "Submit", start_ms: 1_004.5, ms: 2.25 }),
    line("b", "root", { service: "transactions", rpc: "CreateCharge", start_ms: 1_002, ms: 9 }),
    line("d", "b", { caller: "transactions", service: "writer", rpc: "BeginCharge", start_ms: 1_003 }),
    line("a", "root"),
  ]);
  expect(shape(tree)).toEqual([
    "edge → reader.GetPayer  ok",
    "edge → transactions.CreateCharge  ok",
    "  transactions → writer.BeginCharge  ok",
    "  transactions → bank.Submit  ok",
  ]);
  expect(tree.split("\n").at(-1)).toContain("4.50       2.25 ms");
});

test("the deepest call that failed is marked, and only that one", () => {
  const tree = drawTree([
    line("b", "root", { service: "transactions", rpc: "CreateCharge", code: "aborted", reason: "STALE" }),
    line("c", "b", {
      caller: "transactions",
      service: "writer",
      rpc: "SettleCharge",
      code: "aborted",
      reason: "STALE",
    }),
  ]);
  expect(shape(tree)).toEqual([
    "edge → transactions.CreateCharge  aborted STALE",
    "  transactions → writer.SettleCharge  aborted STALE  ◀ failed here",
  ]);
});

test("what only the caller saw is told apart", () => {
  const lost = drawTree([line("a", "root", { code: "unavailable", side: "client" })]);
  expect(shape(lost)).toEqual(["edge → reader.GetPayer  unavailable  (no word from the service)  ◀ failed here"]);
  const late = drawTree([line("a", "root"), line("a", "root", { code: "deadline_exceeded", side: "client" })]);
  expect(shape(late)).toEqual(["edge → reader.GetPayer  ok  (its caller saw deadline_exceeded)  ◀ failed here"]);
  const both = drawTree([
    line("a", "root", { code: "not_found" }),
    line("a", "root", { code: "not_found", side: "client" }),
  ]);
  expect(shape(both)).toEqual(["edge → reader.GetPayer  not_found  ◀ failed here"]);
});

test("only the calls of the request are found, whatever else a log holds", () => {
  const lines = [
    JSON.stringify(line("a", "root")),
    JSON.stringify(line("b", "root", { request_id: "req_2" })),
    '{"message":"about req_1"}',
    '{"request_id":"req_1","rp',
    "",
  ];
  expect(lines.flatMap((text) => readCall(text, "req_1")?.span_id ?? [])).toEqual(["a"]);
});
