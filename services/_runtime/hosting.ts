import type { ServiceImpl } from "@connectrpc/connect";
import type { ClientsOf, Contracts } from "./clients.ts";
import { maxMessageBytesOf } from "./limits.ts";
import { loadContract } from "./load-contract.ts";
import { noClients } from "./no-clients.ts";
import { type ProcessContext, runService } from "./process.ts";
import { openDialing, openListening } from "./security.ts";
import { createServer } from "./serve.ts";
import { callsAnybody, type ServiceName } from "./topology.ts";

/** What a service is started with, in whatever wiring: its process, and clients that call as that service. */
export interface ServiceContext<Name extends ServiceName> extends ProcessContext {
  readonly clients: ClientsOf<Name>;
}

/** A service that has started: what carries its rpcs out, and how it lets go of what it holds. */
export interface StartedService<Name extends ServiceName> {
  readonly implementation: Partial<ServiceImpl<Contracts[Name]>>;
  /** Called once, when its last call has ended. */
  close(): Promise<void>;
}

/** Starts a service. Every `services/<name>/start.ts` exports one; each wiring calls the same. */
export type StartService<Name extends ServiceName> = (context: ServiceContext<Name>) => Promise<StartedService<Name>>;

/** Runs one service as a process of its own, over gRPC: the whole of a `main.ts`. */
export function runServiceProcess<Name extends ServiceName>(name: Name, start: StartService<Name>): Promise<void> {
  return runService({
    name,
    async start(context) {
      const { log, clock } = context;
      const contract = await loadContract(name);
      const calling = await startCalling(name, context);
      const started = await start({ ...context, clients: calling.clients });
      const listening = await openListening(name, context);
      const server = await createServer({
        name,
        services: [{ service: contract, implementation: started.implementation }],
        listening,
        maxMessageBytes: maxMessageBytesOf(name),
        log,
        clock,
      });
      return {
        async close() {
          await server.close();
          await started.close();
          calling.close();
        },
      };
    },
  });
}

// Who calls nobody is spared the other services' contracts.
async function startCalling<Name extends ServiceName>(
  name: Name,
  context: ProcessContext,
): Promise<{ clients: ClientsOf<Name>; close(): void }> {
  if (!callsAnybody(name)) return { clients: noClients, close: () => {} };
  const { createClients, createTransports } = await import("./clients.ts");
  const { config, clock, log } = context;
  const { transportFor, close } = createTransports(config.addresses, await openDialing(name, context));
  return { clients: createClients({ caller: name, clock, log, transportFor }), close };
}
