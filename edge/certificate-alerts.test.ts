import { expect, test } from "vitest";
import { createTestClock } from "../services/_runtime/clock.ts";
import { findCertificateAlerts } from "./certificate-alerts.ts";

test("certificates are an alert from 14 days before their end until they are renewed", () => {
  const clock = createTestClock();
  const day = 86_400_000;
  let expiryMs = clock.nowMs() + 90 * day;
  const find = () =>
    findCertificateAlerts(clock, { servicesExpiryMs: () => expiryMs, edgeValidity: undefined }).map(
      ({ words }) => words,
    );
  expect(find()).toEqual([]);
  clock.advance(77 * day);
  expect(find()).toEqual(["the certificates end in 13 days: run npm run certificates"]);
  clock.advance(14 * day);
  expect(find()).toEqual(["the certificates have ended: run npm run certificates"]);
  expiryMs += 90 * day;
  expect(find()).toEqual([]);
  expect(findCertificateAlerts(clock, { servicesExpiryMs: undefined, edgeValidity: undefined })).toEqual([]);
});

test("a public certificate is an alert in its last quarter, of 14 days at most", () => {
  const clock = createTestClock();
  const day = 86_400_000;
  const startMs = clock.nowMs();
  const findAfter = (days: number, ofDays: number) => {
    clock.setNowMs(startMs + days * day);
    const edgeValidity = () => ({ fromMs: startMs, toMs: startMs + ofDays * day });
    return findCertificateAlerts(clock, { servicesExpiryMs: undefined, edgeValidity }).map(({ words }) => words);
  };
  expect([findAfter(75, 90), findAfter(4, 6)]).toEqual([[], []]);
  const words = (rest: string) => [`the certificate of TRIPE_TLS_CERT ${rest}: replace its files`];
  expect(findAfter(77, 90)).toEqual(words("ends in 13 days"));
  expect(findAfter(5, 6)).toEqual(words("ends in 1 days"));
  expect(findAfter(91, 90)).toEqual(words("has ended"));
});
