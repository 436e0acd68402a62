import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { fixedKeys } from "../_runtime/key-files.ts";
import { checkPdfSignature, pdfUrlOf } from "./pdf-link.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 0, 1, 12);
const name = { accountId: "acct_1", invoiceId: "in_1" };
const [older, newer] = [Buffer.alloc(32, 1).toString("hex"), Buffer.alloc(32, 2).toString("hex")];

const urlOf = (times = {}, keys = fixedKeys("request", older), nowMs = NOW_MS) =>
  pdfUrlOf({ ...name, ...times }, { keys, origin: "https://pay.example.com", days: 30, nowMs });
const signatureOf = (url: string) => url.split("/").at(-2) ?? "";
const check = (url: string, nowMs: number, keys = fixedKeys("request", older)) =>
  checkPdfSignature(name, signatureOf(url), { keys, nowMs });

test("a link lives thirty days past the day its invoice is due, or was finalized", () => {
  const dueTime = timestampFromMs(NOW_MS + 14 * DAY_MS);
  const finalizeTime = timestampFromMs(NOW_MS);
  const due = urlOf({ dueTime, finalizeTime });
  expect(due).toMatch(/^https:\/\/pay\.example\.com\/invoices\/acct_1\/in_1\/[0-9a-f]{8}\.[0-9a-z]+\.[\w-]{43}\/pdf$/);
  expect([check(due, NOW_MS + 44 * DAY_MS - 1), check(due, NOW_MS + 44 * DAY_MS)]).toEqual(["good", "ended"]);
  const paid = urlOf({ finalizeTime });
  expect([check(paid, NOW_MS + 30 * DAY_MS - 1), check(paid, NOW_MS + 30 * DAY_MS)]).toEqual(["good", "ended"]);
});

test("the link of an invoice is the same each time, until it has ended: then it lives on from today", () => {
  const finalizeTime = timestampFromMs(NOW_MS);
  const keys = fixedKeys("request", older);
  expect(urlOf({ finalizeTime }, keys, NOW_MS + 29 * DAY_MS)).toBe(urlOf({ finalizeTime }));
  const later = NOW_MS + 400 * DAY_MS;
  const fresh = urlOf({ finalizeTime }, keys, later);
  expect([check(fresh, later + 30 * DAY_MS), check(fresh, later + 31 * DAY_MS)]).toEqual(["good", "ended"]);
  expect(urlOf({ finalizeTime }, keys, later + 3_600_000)).toBe(fresh);
});

test("a link opens with the key it names, for as long as that is live", () => {
  const old = urlOf({}, fixedKeys("request", older));
  const both = fixedKeys("request", `${newer}\n${older}`);
  expect(check(old, NOW_MS, both)).toBe("good");
  expect(signatureOf(urlOf({}, both)).slice(0, 8)).not.toBe(signatureOf(old).slice(0, 8));
  expect(check(old, NOW_MS, fixedKeys("request", newer))).toBe("wrong");
});

test("a link's end cannot be moved, nor its signature used for another invoice", () => {
  const signature = signatureOf(urlOf());
  const keys = fixedKeys("request", older);
  const [id, end = "", mac] = signature.split(".");
  for (const forged of [`${id}.${end}0.${mac}`, `${id}.zzzzzz.${mac}`, `${id}.${mac}`, `${mac}`, "", `${id}.${end}.`]) {
    expect(checkPdfSignature(name, forged, { keys, nowMs: NOW_MS }), forged).toBe("wrong");
  }
  expect(checkPdfSignature({ ...name, invoiceId: "in_2" }, signature, { keys, nowMs: NOW_MS })).toBe("wrong");
});
