import type { ServiceImpl } from "@connectrpc/connect";
import { systemClock } from "../clock.ts";
import { createDirectTransport } from "../direct-transport.ts";
import { createGrpcTransport, type GrpcTransportOptions } from "../grpc-transport.ts";
import { createHost, type Host } from "../host.ts";
import { createLaneTransport } from "../lane-transport.ts";
import type { Log } from "../log.ts";
import { createServer } from "../serve.ts";
import type { ServiceTransport } from "../service-transport.ts";
import type { CallerName, ServiceName } from "../topology.ts";
import { ProbeService } from "./probe_pb.ts";
import { mayCallProbe } from "./probe-calls.ts";
import { createSocketPlace } from "./socket-place.ts";
import { sharedTlsPlace } from "./tls-place.ts";

/** What a probe does: any of its rpcs. */
export type Probe = Partial<ServiceImpl<typeof ProbeService>>;

/** A probe that serves, and can be stopped and started again behind the same transport. */
export interface Wired {
  readonly transport: ServiceTransport;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it for good, and leaves nothing behind. */
  remove(): Promise<void>;
}

/** Hosts a probe under the name of a service, over one of the transports. */
export type Wiring = (probe: {
  readonly name: ServiceName;
  readonly implementation: Probe;
  readonly log: Log;
  /** Whose proofs the transport bears. */
  readonly caller: CallerName;
}) => Promise<Wired>;

/** Every transport; each test of `transports.test.ts` runs over all of them. */
export const wirings = {
  direct: wireDirect,
  sockets: (probe) => wireSockets(probe, createGrpcTransport),
  tls: (probe) => wireTls(probe, createGrpcTransport),
  lanes: (probe) => wireSockets(probe, createLaneTransport),
  "lanes over tls": (probe) => wireTls(probe, createLaneTransport),
} satisfies Record<string, Wiring>;

const mayCall = mayCallProbe;

async function wireDirect({ name, implementation, log }: Parameters<Wiring>[0]): Promise<Wired> {
  let host: Host | undefined;
  const start = async () => {
    const services = [{ service: ProbeService, implementation }] as const;
    host = createHost({ name, services, log, clock: systemClock, mayCall });
  };
  await start();
  return {
    transport: createDirectTransport({ host: () => host, clock: systemClock, freeze: true }),
    start,
    async stop() {
      await host?.drain();
    },
    async remove() {
      await host?.drain();
    },
  };
}

type Connect = (options: GrpcTransportOptions) => ServiceTransport;

async function wireSockets(
  { name, implementation, log, caller }: Parameters<Wiring>[0],
  connect: Connect,
): Promise<Wired> {
  const place = await createSocketPlace();
  const services = [{ service: ProbeService, implementation }] as const;
  const open = () =>
    createServer({ name, services, listening: place.listening(name), log, clock: systemClock, mayCall });
  let server = await open();
  const transport = connect({ name, addresses: [server.address], dialing: place.dialing(caller) });
  return {
    transport,
    async start() {
      server = await open();
    },
    async stop() {
      await server.close();
    },
    async remove() {
      await server.close();
      await place.remove();
    },
  };
}

async function wireTls({ name, implementation, log, caller }: Parameters<Wiring>[0], connect: Connect): Promise<Wired> {
  const place = await sharedTlsPlace();
  const services = [{ service: ProbeService, implementation }] as const;
  const listening = await place.listening(name);
  const open = (address: string) =>
    createServer({ name, services, listening: { ...listening, address }, log, clock: systemClock, mayCall });
  let server = await open(listening.address);
  const { address } = server;
  const transport = connect({ name, addresses: [address], dialing: await place.dialing(caller) });
  return {
    transport,
    async start() {
      server = await open(address);
    },
    async stop() {
      await server.close();
    },
    async remove() {
      await server.close();
      listening.certificates.close();
    },
  };
}
