import { resolve } from "node:path";
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

test("the public URL is an origin", () => {
  const publicUrl = (TRIPE_PUBLIC_URL: string) => readConfig({ TRIPE_PUBLIC_URL }).publicUrl;
  expect(publicUrl("https://pay.example.com/")).toBe("https://pay.example.com");
  expect(publicUrl("http://10.0.0.7:8080")).toBe("http://10.0.0.7:8080");
  for (const wrong of [
    "pay.example.com",
    "ftp://pay.example.com",
    "https://pay.example.com/tripe",
    "https://a:b@c",
    "https://a/?b",
  ]) {
    expect(() => publicUrl(wrong), wrong).toThrow("TRIPE_PUBLIC_URL must be an origin, such as");
  }
});

test("trusted proxies are addresses and networks", () => {
  const proxies = (TRIPE_TRUSTED_PROXIES: string) => readConfig({ TRIPE_TRUSTED_PROXIES }).trustedProxies;
  expect(proxies("10.0.0.0/8, ::1,192.0.2.7")).toEqual(["10.0.0.0/8", "::1", "192.0.2.7"]);
  expect(proxies("")).toEqual([]);
  for (const wrong of ["*", "proxy.example.com", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0/8", "::1/129"]) {
    expect(() => proxies(wrong), wrong).toThrow("TRIPE_TRUSTED_PROXIES must be addresses or networks");
  }
});

test("the edge's certificate and its key are set together", () => {
  const edgeTls = (env: Record<string, string>) => readConfig(env).edgeTls;
  expect(edgeTls({})).toBeUndefined();
  expect(edgeTls({ TRIPE_TLS_CERT: "/a/cert.pem", TRIPE_TLS_KEY: "key.pem" })).toEqual({
    certFile: "/a/cert.pem",
    keyFile: resolve("key.pem"),
  });
  for (const env of [{ TRIPE_TLS_CERT: "cert.pem" }, { TRIPE_TLS_KEY: "key.pem" }]) {
    expect(() => edgeTls(env)).toThrow("TRIPE_TLS_CERT and TRIPE_TLS_KEY belong together: set both or none");
  }
});

test("webhooks are kept off Tripe's own ports on this machine, and those of what it uses there", () => {
  const env = {
    PORT: "9000",
    TRIPE_WEBHOOKS_CLOSED_PORTS: "6379, 22",
    DATABASE_URL: "postgres://tripe@localhost/tripe",
    SMTP_URL: "smtp://mail.example.com:2525",
    TRIPE_ACQUIRER_ADDRESS: "127.0.0.1:7777",
  };
  const { closedPorts } = readConfig(env).webhooks;
  expect(closedPorts).toEqual([
    ...Array.from({ length: 11 }, (_, index) => 9_000 + index),
    5_432,
    2_525,
    7_777,
    6_379,
    22,
  ]);
  expect(() => readConfig({ TRIPE_WEBHOOKS_CLOSED_PORTS: "70000" })).toThrow(
    "TRIPE_WEBHOOKS_CLOSED_PORTS must be ports",
  );
});

test("webhooks go to this machine for sandbox accounts, where the edge listens on loopback; yes and no hold for all", () => {
  const loopback = (env: Record<string, string>) => readConfig(env).webhooks.loopback;
  expect(loopback({})).toBe("sandbox");
  expect(loopback({ TRIPE_LISTEN_HOST: "localhost" })).toBe("sandbox");
  expect(loopback({ TRIPE_LISTEN_HOST: "0.0.0.0" })).toBe("no");
  expect(loopback({ TRIPE_LISTEN_HOST: "0.0.0.0", TRIPE_WEBHOOKS_LOOPBACK: "yes" })).toBe("yes");
  expect(loopback({ TRIPE_WEBHOOKS_LOOPBACK: "no" })).toBe("no");
  expect(() => loopback({ TRIPE_WEBHOOKS_LOOPBACK: "false" })).toThrow('must be "yes" or "no"');
});
