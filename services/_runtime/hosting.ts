import type { ServiceImpl } from "@connectrpc/connect";
import type { Clients } from "./clients.ts";
import { contracts, createClients, createGrpcTransports, maxMessageBytesOf } from "./clients.ts";
import { listenAddress } from "./config.ts";
import { type ProcessContext, runService } from "./process.ts";
import { createServer } from "./serve.ts";
import type { ServiceName } from "./topology.ts";

/** What a service is started with, in whatever wiring: its process, and clients that call as that service. */
export interface ServiceContext extends ProcessContext {
  readonly clients: Clients;
}

/** A service that has started: what carries its rpcs out, and how it lets go of what it holds. */
export interface StartedService<Name extends ServiceName> {
  readonly implementation: Partial<ServiceImpl<(typeof contracts)[Name]>>;
  /** Called once, when its last call has ended. */
  close(): Promise<void>;
}

/** Starts a service. Every `services/<name>/start.ts` exports one; each wiring calls the same. */
export type StartService<Name extends ServiceName> = (context: ServiceContext) => Promise<StartedService<Name>>;

/** Runs one service as a process of its own, over gRPC: the whole of a `main.ts`. */
export function runServiceProcess<Name extends ServiceName>(name: Name, start: StartService<Name>): Promise<void> {
  return runService({
    name,
    async start(context) {
      const { config, log, clock } = context;
      const transports = createGrpcTransports(config.addresses);
      const clients = createClients({ caller: name, clock, log, transportFor: transports.transportFor });
      const started = await start({ ...context, clients });
      const server = await createServer({
        name,
        services: [{ service: contracts[name], implementation: started.implementation }],
        address: listenAddress(config, name),
        maxMessageBytes: maxMessageBytesOf(name),
        log,
        clock,
      });
      return {
        async close() {
          await server.close();
          await started.close();
          transports.close();
        },
      };
    },
  });
}
