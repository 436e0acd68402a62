import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dialing } from "../dialing.ts";
import type { SocketListening } from "../listening.ts";
import { openSocketFolder } from "../sockets.ts";
import { createToken, digestOf, type Tokens } from "../tokens.ts";
import { type CallerName, callerNames, type ServiceName, serviceNames } from "../topology.ts";

/** A folder of sockets with tokens for every caller and every service, so that what refuses a call is not their absence. */
export interface SocketPlace {
  readonly folder: string;
  readonly key: Uint8Array;
  listening(name: ServiceName): SocketListening;
  dialing(caller: CallerName): Dialing;
  addressOf(name: ServiceName): string;
  remove(): Promise<void>;
}

/** Makes one in the folder of temporary files. */
export async function createSocketPlace(): Promise<SocketPlace> {
  const folder = await mkdtemp(join(tmpdir(), "tripe-run-"));
  await openSocketFolder(folder);
  const key = Buffer.alloc(32, 7);
  return {
    folder,
    key,
    listening: (socket) => ({ kind: "socket", folder, socket, accepted: acceptAll(key, socket) }),
    dialing: (caller) => ({
      tokens: Object.fromEntries(serviceNames.map((name) => [name, createToken(key, caller, name)])),
      certificates: undefined,
    }),
    addressOf: (name) => `unix:${join(folder, `${name}.sock`)}`,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The digests of every caller's token, whether the topology lists the caller or not. */
function acceptAll(key: Uint8Array, name: ServiceName): Tokens["accepted"] {
  return Object.fromEntries(callerNames.map((caller) => [caller, digestOf(createToken(key, caller, name))]));
}
