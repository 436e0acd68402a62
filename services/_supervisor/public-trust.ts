import { once } from "node:events";
import { isIP } from "node:net";
import { checkServerIdentity, connect, rootCertificates } from "node:tls";

/** How long a handshake on this machine may take before the answer is no. */
const HANDSHAKE_MAX_MS = 2_000;

/**
 * Says whether programs accept the certificate of an edge without being given it: it is signed, by way of the chain that the
 * edge shows, by an authority that Mozilla trusts, and is for the name.
 */
export async function isPubliclyTrusted(url: string, name: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const wanted = withoutBrackets(name);
  const socket = connect({
    host: withoutBrackets(hostname),
    port: Number(port),
    // An address is not sent, and is checked as an address.
    servername: isIP(wanted) === 0 ? wanted : "",
    checkServerIdentity: (_host, shown) => checkServerIdentity(wanted, shown),
    ca: [...rootCertificates],
  });
  socket.setTimeout(HANDSHAKE_MAX_MS, () => socket.destroy(new Error("no handshake in time")));
  try {
    await once(socket, "secureConnect");
    return socket.authorized;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
