import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { readConfig } from "../_runtime/config.ts";
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

const lo = [v4("127.0.0.1", true)];
const urlsOf = (TRIPE_LISTEN_HOST: string, eth0: NetworkInterfaceInfo[]) =>
  findUrls(readConfig({ TRIPE_LISTEN_HOST, PORT: "9000" }), { lo, eth0 });

test("an address that one edge listens on is the one it is reached at", () => {
  const url = "http://192.168.1.7:9000";
  expect(urlsOf("192.168.1.7", [v4("192.168.1.7")])).toEqual({ here: url, shown: url });
  expect(urlsOf("::1", []).shown).toBe("http://[::1]:9000");
});

test("an edge that listens everywhere is shown at an address of the machine, and asked on loopback", () => {
  const eth0 = [v6("fe80::1"), v6("2001:db8::7"), v4("192.168.1.7")];
  expect(urlsOf("0.0.0.0", eth0)).toEqual({ here: "http://127.0.0.1:9000", shown: "http://192.168.1.7:9000" });
  expect(urlsOf("::", eth0)).toEqual({ here: "http://[::1]:9000", shown: "http://192.168.1.7:9000" });
  expect(urlsOf("::", [v6("fe80::1"), v6("2001:db8::7")]).shown).toBe("http://[2001:db8::7]:9000");
  expect(urlsOf("0.0.0.0", [v6("2001:db8::7")]).shown).toBe("http://127.0.0.1:9000");
});
