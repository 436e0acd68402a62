import { experimental, type Server, ServerCredentials } from "@grpc/grpc-js";
import { type Certificates, peerNameOf } from "./certificates.ts";
import type { Clock } from "./clock.ts";
import { type ProveCaller, proveByToken } from "./grpc-proof.ts";
import { claimSocket } from "./sockets.ts";
import { createTokenCheck, type Tokens } from "./tokens.ts";

/** Where a service listens, and what its callers prove their names with. */
export type Listening = SocketListening | TcpListening;

/** At `<folder>/<socket>.sock`, to callers with tokens. The folder must be open (sockets.ts). */
export interface SocketListening {
  readonly kind: "socket";
  readonly folder: string;
  readonly socket: string;
  readonly accepted: Tokens["accepted"];
}

/** At host:port, to callers with certificates; port 0 takes a free one. */
export interface TcpListening {
  readonly kind: "tcp";
  readonly address: string;
  readonly certificates: Certificates;
}

/** How a server came to listen. */
export interface Listened {
  /** Where callers find it: "unix:/path" or "host:port". */
  readonly address: string;
  /** Stops telling callers the way. Whom they find then is up to the next. */
  release(): void;
}

/** Says how the callers of a listening service prove their names. */
export function proofOf(listening: Listening): ProveCaller {
  if (listening.kind === "socket") return proveByToken(createTokenCheck(listening.accepted));
  return (call) => peerNameOf(call.getAuthContext().sslPeerCertificate);
}

/** Lets a server listen; resolves once callers find it. */
export async function listen(server: Server, listening: Listening, clock: Clock): Promise<Listened> {
  if (listening.kind === "tcp") {
    const { address, certificates } = listening;
    const secure = experimental.createCertificateProviderServerCredentials(certificates, certificates, true);
    const port = await bind(server, address, secure);
    return { address: address.replace(/:\d+$/, `:${port}`), release: () => {} };
  }
  const { folder, socket: name } = listening;
  const claim = claimSocket({ folder, name, clock });
  await bind(server, `unix:${claim.path}`, ServerCredentials.createInsecure());
  await claim.take();
  return { address: `unix:${folder}/${name}.sock`, release: claim.release };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error !== null) reject(new Error(`cannot listen on ${address}`, { cause: error }));
      else resolve(port);
    });
  });
}
