import { createServer } from "node:net";
import { isSocketAddress, socketPathOf } from "../_runtime/addresses.ts";
import type { Clock } from "../_runtime/clock.ts";
import { splitHostPort } from "../_runtime/host-port.ts";
import { isListening } from "../_runtime/sockets.ts";

/** An address that a process of Tripe's is going to listen on. */
export interface Place {
  readonly name: string;
  /** "host:port" or "unix:/path" */
  readonly address: string;
  /** The setting that says the host. */
  readonly hostSetting: "TRIPE_LISTEN_HOST" | "TRIPE_SERVICES_HOST";
}

/** The services of a Tripe that was just killed notice within milliseconds and leave; a foreign program stays. */
const waitMaxMs = 3_000;
const pollMs = 50;

/**
 * Resolves when every address is free. Rejects in one sentence: at once when this process may not listen there or the
 * machine has no such address, and, naming those that are still taken, after 3 s.
 */
export async function waitForPlaces(places: readonly Place[], clock: Clock): Promise<void> {
  const deadline = clock.preciseMs() + waitMaxMs;
  for (;;) {
    const codes = await Promise.all(places.map((place) => probe(place.address)));
    for (const [index, place] of places.entries()) refuseHopeless(place, codes[index]);
    const taken = places.filter((_, index) => codes[index] !== undefined);
    if (taken.length === 0) return;
    if (clock.preciseMs() > deadline) throw new Error(describeTaken(taken));
    await clock.sleep(pollMs);
  }
}

/** Throws for an error that waiting does not mend, such as EACCES for a port below 1024. */
export function refuseHopeless({ name, address, hostSetting }: Place, code: string | undefined): void {
  if (code === undefined || code === "EADDRINUSE") return;
  const { host, port } = splitHostPort(address);
  if (code === "EACCES" || code === "EPERM") {
    throw new Error(
      `PORT: this user may not listen on port ${port} (${name}, ${code}): set PORT to 1024 or above, or start Tripe as a ` +
        "user who may.",
    );
  }
  const why = code === "EADDRNOTAVAIL" ? "is no address of this machine" : "cannot be listened on";
  throw new Error(`${hostSetting}: ${host} ${why} (${name}, ${code}).`);
}

function describeTaken(taken: readonly Place[]): string {
  const list = taken.map((place) => `${place.address} (${place.name})`).join(", ");
  const words =
    taken.length === 1
      ? "is taken by another program. Stop it"
      : "are taken by other programs, or by another Tripe. Stop them";
  const remedies = taken.map(({ address }) =>
    isSocketAddress(address) ? "TRIPE_DATA_DIR to another folder" : "PORT to another port",
  );
  return `${list} ${words}, or set ${[...new Set(remedies)].join(" and ")}.`;
}

/** Tries to listen: undefined when that works, or the error's code. A socket is free when nobody answers there. */
async function probe(address: string): Promise<string | undefined> {
  if (isSocketAddress(address)) return (await isListening(socketPathOf(address))) ? "EADDRINUSE" : undefined;
  const { host, port } = splitHostPort(address);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
