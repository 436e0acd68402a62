import { experimental } from "@grpc/grpc-js";
import { splitHostPort } from "./host-port.ts";

const SOCKET = "unix:";

/** Our own scheme: grpc-js resolves one socket or one name by itself, but no list of either. */
const LIST_SCHEME = "tripe-list";

/** Says whether an address is a socket's, "unix:/path", rather than "host:port". */
export function isSocketAddress(address: string): boolean {
  return address.startsWith(SOCKET);
}

/** The path of a socket's address. */
export function socketPathOf(address: string): string {
  return address.slice(SOCKET.length);
}

/** What grpc-js dials for the addresses of one service. */
export function targetOf(addresses: readonly string[]): string {
  const [first = "", ...others] = addresses;
  return others.length === 0 ? first : `${LIST_SCHEME}:${addresses.map(encodeURIComponent).join(",")}`;
}

// Each address is an endpoint of its own, so that round_robin goes over all of them.
class ListResolver implements experimental.Resolver {
  private readonly endpoints: experimental.Endpoint[];
  private readonly listener: experimental.ResolverListener;
  private hasAnswered = false;

  constructor(target: experimental.GrpcUri, listener: experimental.ResolverListener) {
    this.listener = listener;
    this.endpoints = target.path.split(",").map((part) => {
      const address = decodeURIComponent(part);
      return { addresses: [isSocketAddress(address) ? { path: socketPathOf(address) } : splitHostPort(address)] };
    });
  }

  updateResolution(): void {
    if (this.hasAnswered) return;
    this.hasAnswered = true;
    process.nextTick(() => this.listener(experimental.statusOrFromValue(this.endpoints), {}, null, ""));
  }

  destroy(): void {
    this.hasAnswered = false;
  }

  static getDefaultAuthority(): string {
    return "localhost";
  }
}

experimental.registerResolver(LIST_SCHEME, ListResolver);
