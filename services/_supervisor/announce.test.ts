import { expect, test } from "vitest";
import { readConfig } from "../_runtime/config.ts";
import { acquirerRows, announce } from "./announce.ts";

const FACTS = {
  url: "http://localhost:8080",
  curlOptions: [],
  secretKey: "sk_test_1",
  dataDir: "/tmp/tripe",
  startMs: 1_500,
};

test("the table of a start says where the acquirers are, of sandbox and of live accounts", () => {
  const rows = acquirerRows(
    readConfig({ TRIPE_ACQUIRER_ADDRESS: "127.0.0.1:9000", TRIPE_LIVE_ACQUIRER_ADDRESS: "tls://bank.example:9001" }),
  );
  const text = announce({ ...FACTS, rows });
  expect(text).toMatch(/^ {2}acquirer {7}127\.0\.0\.1:9000$/m);
  expect(text).toMatch(/^ {2}live acquirer {2}tls:\/\/bank\.example:9001$/m);
});

test("a Tripe with the sandbox bank and no live acquirer has no such rows", () => {
  expect(acquirerRows(readConfig({}))).toEqual([]);
});
