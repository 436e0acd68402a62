import { BlockList, isIPv4, isIPv6 } from "node:net";

// The IANA registries of special-purpose addresses: nothing in them is a stranger's server, much of it is ours.
const forbidden = createRanges([
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Azure's wire server, which hands a machine its certificates: an address of the public space, the same in every network.
  ["168.63.129.16", 32],
  // Where clouds keep their metadata, and the keys in it.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  // Multicast, reserved, broadcast.
  ["224.0.0.0", 3],
  // Teredo, ORCHID and other protocols; documentation; 6to4, which holds an IPv4 address of any kind.
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
]);

// Of IPv6 only global unicast is anybody's. Out with it go ::1, link-local and unique local addresses, NAT64, and every
// IPv4 address in IPv6 clothes (::ffff:127.0.0.1).
const globalUnicast = createRanges([["2000::", 3]]);

const loopback = createRanges([
  ["127.0.0.0", 8],
  ["::1", 128],
]);

/** Says whether an IP address belongs to the public internet. Anything that is no IP address does not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !forbidden.check(address, "ipv4");
  return isIPv6(address) && globalUnicast.check(address, "ipv6") && !forbidden.check(address, "ipv6");
}

/** Says whether an IP address is this very machine. IPv4 in IPv6 clothes is not accepted as such. */
export function isLoopbackAddress(address: string): boolean {
  if (isIPv4(address)) return loopback.check(address, "ipv4");
  return isIPv6(address) && !/^::ffff:/i.test(address) && loopback.check(address, "ipv6");
}

function createRanges(ranges: readonly (readonly [network: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, isIPv4(network) ? "ipv4" : "ipv6");
  return list;
}
