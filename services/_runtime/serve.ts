import type { DescService } from "@bufbuild/protobuf";
import { type ChannelOptions, Server } from "@grpc/grpc-js";
import { Health as HealthService } from "../../gen/grpc/health/v1/health_pb.ts";
import { createProofInterceptor } from "./grpc-proof.ts";
import { addHost } from "./grpc-server.ts";
import { addHealth } from "./health.ts";
import { createHost, type Host, type HostOptions } from "./host.ts";
import { addLanes } from "./lane-server.ts";
import { MESSAGE_MAX_BYTES } from "./limits.ts";
import { type Listening, listen, proofOf } from "./listening.ts";
import { addReflection } from "./reflection.ts";
import { mayCall as mayCallByTopology } from "./topology.ts";

// Well above what a peer has in flight (some 100 charges), well below what a runaway could use to fill the memory.
const STREAMS_MAX = 256;

// A certificate that has ended, or an authority that is trusted no more, is of no use an hour later.
const CONNECTION_MAX_MS = 3_600_000;

// 7-reliability.md: SIGTERM to exit in at most 10 s. Calls end by their own deadlines before that, all but the longest.
const DRAIN_MAX_MS = 10_000;

// After the last answer was handed to grpc-js: time for its bytes to leave before what is still open is cut.
const FAREWELL_MS = 100;

/** What `createServer` needs. */
export interface ServerOptions<D extends readonly DescService[]> extends HostOptions<D> {
  /** Where to listen, and how callers prove who they are. */
  readonly listening: Listening;
  /** The largest message, in and out, in bytes; default MESSAGE_MAX_BYTES. */
  readonly maxMessageBytes?: number;
  /** How long a lane takes calls, in milliseconds; default five minutes. */
  readonly laneAgeMs?: number;
  /** How long `close` waits for running calls, in milliseconds; default 10,000. */
  readonly drainMaxMs?: number;
}

/** A service that answers over gRPC. */
export interface RunningServer {
  readonly host: Host;
  /** Where callers find it: "unix:/path" or "host:port". */
  readonly address: string;
  /** Says NOT_SERVING, takes no new calls, lets running ones end, then stops; never takes longer than allowed. */
  close(): Promise<void>;
}

/** Starts to serve, with health and reflection beside; resolves once it is SERVING. */
export async function createServer<const D extends readonly DescService[]>(
  options: ServerOptions<D>,
): Promise<RunningServer> {
  const { log, clock, listening } = options;
  const host = createHost(options);
  const server = new Server({
    ...limits(options.maxMessageBytes ?? MESSAGE_MAX_BYTES),
    interceptors: [createProofInterceptor(proofOf(listening), log)],
  });
  addHost(server, host, clock);
  const maxMessageBytes = options.maxMessageBytes ?? MESSAGE_MAX_BYTES;
  const { mayCall = mayCallByTopology, laneAgeMs } = options;
  const lanes = addLanes(server, {
    host,
    mayCall,
    clock,
    log,
    maxMessageBytes,
    ...(laneAgeMs && { ageMs: laneAgeMs }),
  });
  const health = addHealth(server, ["", ...host.services.map(({ typeName }) => typeName)]);
  addReflection(server, [...host.services, HealthService]);
  const { address, release } = await listen(server, listening, clock);
  log.info("serving", { address });
  let closing: Promise<void> | undefined;
  const close = async () => {
    release();
    health.end();
    lanes.drain();
    const end = clock.sleep(options.drainMaxMs ?? DRAIN_MAX_MS);
    // Callers are told to go elsewhere (GOAWAY). What they had sent before is still carried out; what comes later is refused
    // by HTTP/2, and grpc-js sends it to whoever serves now: so no call is lost to the one that takes our place.
    const shut = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    const quiet = host.idle().then(() => clock.sleep(FAREWELL_MS));
    // What has no end of its own, such as a stream of reflection, is cut once all calls are answered.
    await Promise.race([shut, quiet, end]);
    await Promise.race([host.drain(), end]);
    server.forceShutdown();
    log.info("stopped", { address });
  };
  return {
    host,
    address,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function limits(maxMessageBytes: number): ChannelOptions {
  return {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    "grpc.max_concurrent_streams": STREAMS_MAX,
    // A connection proves its caller once, when it is made: so each is made anew before long, and certificates with it.
    "grpc.max_connection_age_ms": CONNECTION_MAX_MS,
    // Never "grpc.enable_channelz": 0 here: grpc-js 1.14.7 then forgets its sessions, and neither says goodbye at
    // tryShutdown nor cuts anything at forceShutdown; callers of a stuck call waited for their own deadline.
  };
}
