import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { mayReach, portOf, type WebhookReach } from "./webhook-reach.ts";

const may = (loopback: WebhookReach["loopback"], address: string, { port = 4_242, isLive = false } = {}) =>
  mayReach({ loopback, closedPorts: [8_080, 5_432] }, { address, port, isLive: () => isLive });

test("this machine is called as the setting says: for every account, for none, or for sandbox accounts", () => {
  const both = (loopback: WebhookReach["loopback"]) =>
    [false, true].map((isLive) => may(loopback, "127.0.0.1", { isLive }));
  expect([both("yes"), both("no"), both("sandbox")]).toEqual([
    [true, true],
    [false, false],
    [true, false],
  ]);
  expect([may("yes", "::1"), may("yes", "10.0.0.1"), may("no", "93.184.215.14")]).toEqual([true, false, true]);
});

test("no port of Tripe's own on this machine is called, whatever the setting", () => {
  for (const port of [8_080, 5_432]) {
    expect([may("yes", "127.0.0.1", { port }), may("yes", "::1", { port })]).toEqual([false, false]);
    expect(may("yes", "93.184.215.14", { port })).toBe(true);
  }
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address } of own) expect(may("yes", address, { port: 8_080 }), address).toBe(false);
});

test("a URL without a port has its protocol's", () => {
  expect(["https://a.example", "http://a.example", "http://a.example:81"].map((url) => portOf(new URL(url)))).toEqual([
    443, 80, 81,
  ]);
});
