import type { ServiceImpl } from "@connectrpc/connect";
import { systemClock } from "../clock.ts";
import { createDirectTransport } from "../direct-transport.ts";
import { createGrpcTransport } from "../grpc-transport.ts";
import { createHost, type Host } from "../host.ts";
import type { Log } from "../log.ts";
import { createServer } from "../serve.ts";
import type { ServiceTransport } from "../service-transport.ts";
import type { ServiceName } from "../topology.ts";
import { ProbeService } from "./probe_pb.ts";

/** What a probe does: any of its rpcs. */
export type Probe = Partial<ServiceImpl<typeof ProbeService>>;

/** A probe that serves, and can be stopped and started again behind the same transport. */
export interface Wired {
  readonly transport: ServiceTransport;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Hosts a probe under the name of a service, over one of the transports. */
export type Wiring = (name: ServiceName, implementation: Probe, log: Log) => Promise<Wired>;

/** Every transport; each test of `transports.test.ts` runs over all of them. */
export const wirings = { direct: wireDirect, grpc: wireGrpc } satisfies Record<string, Wiring>;

async function wireDirect(name: ServiceName, implementation: Probe, log: Log): Promise<Wired> {
  let host: Host | undefined;
  const start = async () => {
    host = createHost({ name, services: [{ service: ProbeService, implementation }], log, clock: systemClock });
  };
  await start();
  return {
    transport: createDirectTransport({ host: () => host, clock: systemClock, freeze: true }),
    start,
    async stop() {
      await host?.drain();
    },
  };
}

async function wireGrpc(name: ServiceName, implementation: Probe, log: Log): Promise<Wired> {
  const services = [{ service: ProbeService, implementation }] as const;
  const open = (address: string) => createServer({ name, services, address, log, clock: systemClock });
  let server = await open("127.0.0.1:0");
  const { address } = server;
  const transport = createGrpcTransport({ address });
  return {
    transport,
    async start() {
      server = await open(address);
    },
    async stop() {
      await server.close();
    },
  };
}
