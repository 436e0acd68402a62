import { expect, test } from "vitest";
import { explainRefusal } from "./explain-refusal.ts";

const explain = (message: string, code?: string) =>
  explainRefusal(Object.assign(new Error(message), { code }), "db.example:5432", "merchant");

test.each([
  [
    "self-signed certificate",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "sslmode=require means verify-full here, so give the authority's",
  ],
  ["certificate has expired", "CERT_HAS_EXPIRED", "shows a certificate that does not prove its name"],
  ["Host: db. is not cert's CN", "ERR_TLS_CERT_ALTNAME_INVALID", "shows a certificate that does not prove its name"],
  ["The server does not support SSL connections", undefined, "has no TLS, which DATABASE_URL asks for"],
  ["unsupported startup parameter: options", "08P01", "is a pooler that refuses what DATABASE_URL says after the ?"],
  ["no such user", "08P01", "does not let the user merchant in (no such user)"],
  ["SASL authentication failed", "08P01", "does not let the user merchant in"],
  ["no pg_hba.conf entry for host", "28000", "check its name, its password and the server's pg_hba.conf"],
  ["query_wait_timeout", "08P01", "refuses connections (query_wait_timeout)"],
  [
    "permission denied for schema tripe",
    "42501",
    "lacks a right that a start needs (permission denied for schema tripe)",
  ],
  ["connect ECONNREFUSED", "ECONNREFUSED", "the database of DATABASE_URL, db.example:5432, does not answer"],
])("%s (%s) is explained in one sentence", (message, code, words) => {
  expect(explain(message, code)).toContain(words);
});

test("a fault that is not the server's is passed on", () => {
  expect(explain("relation is not there", "42P01")).toBe(undefined);
  expect(explainRefusal("words", "db", "merchant")).toBe(undefined);
});
