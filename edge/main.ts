import { parseArgs } from "node:util";
import { createClients, createTransports } from "../services/_runtime/clients.ts";
import { runService } from "../services/_runtime/process.ts";
import { openDialing } from "../services/_runtime/security.ts";
import { startEdge } from "./start.ts";

// All services are on the same machine or in the same cluster: one that has not answered by then is not serving.
const HEALTH_MAX_MS = 500;

// Given by the supervisor, for which another edge listens on the same socket when this one is replaced.
const { values } = parseArgs({ options: { "listen-fd": { type: "string" } } });
const listenFd = values["listen-fd"] === undefined ? undefined : Number(values["listen-fd"]);

await runService({
  name: "edge",
  async start(context) {
    const { config, log, clock } = context;
    const dialing = await openDialing("edge", context);
    const { transportFor, close } = createTransports(config.addresses, dialing);
    const clients = createClients({ caller: "edge", clock, log, transportFor });
    const isServing = (name: Parameters<typeof transportFor>[0]) => transportFor(name).isServing(HEALTH_MAX_MS);
    const edge = await startEdge({
      ...{ config, log, clock, clients, isServing, listenFd },
      ...(dialing.certificates && { certificateExpiryMs: dialing.certificates.expiryMs }),
    });
    return {
      async close(ending) {
        await edge.close(ending);
        close();
      },
    };
  },
});
