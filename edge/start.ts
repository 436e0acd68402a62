import type { Clock } from "../services/_runtime/clock.ts";
import { type Config, listenAddress } from "../services/_runtime/config.ts";
import { splitHostPort } from "../services/_runtime/host-port.ts";
import { createId } from "../services/_runtime/ids.ts";
import { openKeys } from "../services/_runtime/key-files.ts";
import { keyFile } from "../services/_runtime/key-ring.ts";
import type { Log } from "../services/_runtime/log.ts";
import type { Ending } from "../services/_runtime/process.ts";
import type { ServiceName } from "../services/_runtime/topology.ts";
import type { EdgeClients } from "./clients.ts";
import { createDrain } from "./drain.ts";
import { createEdge } from "./edge.ts";
import { openCertificate } from "./server-certificate.ts";

/** What the edge is started with, in whatever wiring. */
export interface EdgeContext {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly clients: EdgeClients;
  /** Asks a service whether it is SERVING; false when it does not say in time. */
  readonly isServing: (service: ServiceName) => Promise<boolean>;
  /** When the certificate ends by which the edge proves its name to services; absent where services do not speak TCP. */
  readonly certificateExpiryMs?: () => number;
  /** A socket, bound to its address, that it listens on instead of one of its own. */
  readonly listenFd?: number | undefined;
}

/** Starts the public API: resolves once it listens at its address. `close` lets running requests end. */
export async function startEdge(context: EdgeContext): Promise<{ close(ending?: Ending): Promise<void> }> {
  const { config, log, clock, clients, isServing } = context;
  const requestKeys = openKeys({ kind: "request", file: keyFile(config.dataDir, "request"), clock });
  const { edgeActions: actions, webhooks: reach, publicUrl, trustedProxies, pdfLinkDays } = config;
  const hasLiveBank = config.liveAcquirer !== undefined;
  const { certificateExpiryMs, listenFd } = context;
  const certificate = config.edgeTls && (await openCertificate({ files: config.edgeTls, clock, log }));
  const places = {
    ...(certificateExpiryMs && { certificateExpiryMs }),
    reach,
    publicUrl,
    trustedProxies,
    pdfLinkDays,
    hasLiveBank,
    certificate,
  };
  const app = createEdge({ clients, clock, log, createId, requestKeys, isServing, actions, ...places });
  const { host, port } = splitHostPort(listenAddress(config, "edge"));
  const drain = createDrain(app, clock);
  // Fastify's types do not know of `fd`; Node's do.
  const place = listenFd === undefined ? { host, port } : { host, fd: listenFd };
  await app.listen(place);
  certificate?.renewOn(app.server);
  log.info("serving", { address: `${host}:${port}`, actions: config.edgeActions });
  return {
    close: async (ending) => {
      certificate?.close();
      await drain({ isPatient: ending?.isReplaced === true });
    },
  };
}
