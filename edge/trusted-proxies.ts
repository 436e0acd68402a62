import { BlockList, isIP } from "node:net";

/** Says whether an address is a proxy's whose X-Forwarded-For and X-Forwarded-Proto count. `networks`: "10.0.0.1", "10.0.0.0/8". */
export function createTrust(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/", 2);
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const [bare = ""] = address.split("%", 1);
    // A BlockList finds an IPv4 address in an IPv6 one that it is mapped to.
    const version = isIP(bare);
    return version !== 0 && list.check(bare, version === 6 ? "ipv6" : "ipv4");
  };
}
