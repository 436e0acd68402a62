import { expect, test } from "vitest";
import { createTestClock } from "../services/_runtime/clock.ts";
import { findCertificateAlerts } from "./certificate-alerts.ts";

test("certificates are an alert from 14 days before their end until they are renewed", () => {
  const clock = createTestClock();
  const day = 86_400_000;
  let expiryMs = clock.nowMs() + 90 * day;
  const find = () => findCertificateAlerts(clock, () => expiryMs).map(({ words }) => words);
  expect(find()).toEqual([]);
  clock.advance(77 * day);
  expect(find()).toEqual(["the certificates end in 13 days: run npm run certificates"]);
  clock.advance(14 * day);
  expect(find()).toEqual(["the certificates have ended: run npm run certificates"]);
  expiryMs += 90 * day;
  expect(find()).toEqual([]);
  expect(findCertificateAlerts(clock, undefined)).toEqual([]);
});
