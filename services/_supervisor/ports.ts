import { createServer } from "node:net";
import type { Clock } from "../_runtime/clock.ts";

/** An address that a process of Tripe's is going to listen on. */
export interface Place {
  readonly name: string;
  /** host:port */
  readonly address: string;
}

/** The services of a Tripe that was just killed notice within milliseconds and leave; a foreign program stays. */
const waitMaxMs = 3_000;
const pollMs = 50;

/** Resolves when every address is free, and rejects in words, naming those that are still taken after 3 s. */
export async function waitForPorts(places: readonly Place[], clock: Clock): Promise<void> {
  const deadline = clock.preciseMs() + waitMaxMs;
  for (;;) {
    const free = await Promise.all(places.map((place) => isFree(place.address)));
    const taken = places.filter((_, index) => free[index] !== true);
    if (taken.length === 0) return;
    if (clock.preciseMs() > deadline) throw new Error(describe(taken));
    await clock.sleep(pollMs);
  }
}

function describe(taken: readonly Place[]): string {
  const list = taken.map((place) => `${place.address} (${place.name})`).join(", ");
  const words =
    taken.length === 1
      ? "is taken by another program. Stop it"
      : "are taken by other programs, or by another Tripe. Stop them";
  return `${list} ${words}, or set PORT to another port: Tripe uses PORT and the ten after it.`;
}

function isFree(address: string): Promise<boolean> {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(address) ?? [];
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host, port: Number(port), exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
