import { isIPv6 } from "node:net";

/**
 * What limits count a client by: an IPv4 address, or the first 64 bits of an IPv6 address, since every host of that kind has
 * as many addresses below them as it likes (RFC 4291, 2.5.1). An IPv4 address written as IPv6 counts as itself.
 */
export function clientOf(address: string): string {
  const [bare = ""] = address.split("%", 1);
  if (!isIPv6(bare)) return bare;
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare) ?? [];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = bare.split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  // A dotted end stands for two groups; it is beyond the 64 bits in every address but "::1.2.3.4", which nobody has.
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
