import { isSocketAddress } from "./addresses.ts";
import { type Certificates, openCertificates } from "./certificates.ts";
import { listenAddress } from "./config.ts";
import type { Dialing } from "./dialing.ts";
import type { Listening } from "./listening.ts";
import type { ProcessContext } from "./process.ts";
import { openSocketFolder } from "./sockets.ts";
import { readTokens } from "./token-files.ts";
import { type CallerName, type ServiceName, serviceNames } from "./topology.ts";

/** Reads what a caller proves its name with: its tokens where it dials sockets, its certificate where it dials TCP. */
export async function openDialing(name: CallerName, context: ProcessContext): Promise<Dialing> {
  const { config } = context;
  const addresses = serviceNames.flatMap((service) => config.addresses[service]);
  return {
    tokens: addresses.some(isSocketAddress) ? (await readTokens(config.dataDir, name)).sent : {},
    certificates: addresses.every(isSocketAddress) ? undefined : await openOwnCertificates(name, context),
  };
}

/** Makes ready the place where a service listens: the folder of its socket and the digests of tokens, or its certificate. */
export async function openListening(name: ServiceName, context: ProcessContext): Promise<Listening> {
  const { config } = context;
  const address = listenAddress(config, name);
  if (!isSocketAddress(address)) {
    return { kind: "tcp", address, certificates: await openOwnCertificates(name, context) };
  }
  await openSocketFolder(config.runDir);
  const { accepted } = await readTokens(config.dataDir, name);
  return { kind: "socket", folder: config.runDir, socket: name, accepted };
}

function openOwnCertificates(name: CallerName, { config, clock, log }: ProcessContext): Promise<Certificates> {
  const { tlsDir: folder } = config;
  if (folder === undefined) throw new Error("services speak TCP over mutual TLS alone: set TRIPE_TLS_DIR");
  return openCertificates({ folder, name, clock, log });
}
