import { X509Certificate } from "node:crypto";
import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { readConfig } from "../_runtime/config.ts";
import { createAuthority } from "../bank/testing/certificates.ts";
import { findUrls } from "./reachable.ts";

const rest = { netmask: "", mac: "", cidr: null } as const;
const v4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  family: "IPv4",
  ...rest,
});
const v6 = (address: string): NetworkInterfaceInfo => ({
  address,
  internal: false,
  family: "IPv6",
  scopeid: 0,
  ...rest,
});

/** The settings of an edge that has a certificate for such a name or address. */
function shownOver(host: string, env: Record<string, string>, eth0: NetworkInterfaceInfo[] = []) {
  const leaf = new X509Certificate(createAuthority("any").issue(host).cert);
  const { shown, connectTo } = findUrls(readConfig({ PORT: "9000", ...env }), leaf, { lo, eth0 });
  return [shown, connectTo];
}

const lo = [v4("127.0.0.1", true)];
const urlsOf = (TRIPE_LISTEN_HOST: string, eth0: NetworkInterfaceInfo[]) =>
  findUrls(readConfig({ TRIPE_LISTEN_HOST, PORT: "9000" }), undefined, { lo, eth0 });

test("an address that one edge listens on is the one it is reached at", () => {
  const url = "http://192.168.1.7:9000";
  expect(urlsOf("192.168.1.7", [v4("192.168.1.7")])).toMatchObject({ here: url, shown: url });
  expect(urlsOf("::1", []).shown).toBe("http://[::1]:9000");
});

test("an edge that listens everywhere is shown at an address of the machine, and asked on loopback", () => {
  const eth0 = [v6("fe80::1"), v6("2001:db8::7"), v4("192.168.1.7")];
  expect(urlsOf("0.0.0.0", eth0)).toMatchObject({ here: "http://127.0.0.1:9000", shown: "http://192.168.1.7:9000" });
  expect(urlsOf("::", eth0)).toMatchObject({ here: "http://[::1]:9000", shown: "http://192.168.1.7:9000" });
  expect(urlsOf("::", [v6("fe80::1"), v6("2001:db8::7")]).shown).toBe("http://[2001:db8::7]:9000");
  expect(urlsOf("0.0.0.0", [v6("2001:db8::7")]).shown).toBe("http://127.0.0.1:9000");
});

test("over HTTPS a person is shown what the certificate is for, and how this machine reaches it", () => {
  const everywhere = { TRIPE_LISTEN_HOST: "0.0.0.0" };
  expect(shownOver("127.0.0.1", {})).toEqual(["https://127.0.0.1:9000", undefined]);
  expect(shownOver("localhost", {})).toEqual(["https://localhost:9000", undefined]);
  expect(shownOver("192.168.1.7", everywhere, [v4("192.168.1.7")])).toEqual(["https://192.168.1.7:9000", undefined]);
  const connectTo = "127.0.0.1:9000";
  expect(shownOver("pay.example.com", everywhere)).toEqual(["https://pay.example.com:9000", connectTo]);
  const named = { TRIPE_PUBLIC_URL: "https://pay.example.com" };
  expect(shownOver("*.example.com", named)).toEqual(["https://pay.example.com:9000", connectTo]);
  expect(shownOver("*.example.org", named)).toEqual(["https://tripe.example.org:9000", connectTo]);
});
