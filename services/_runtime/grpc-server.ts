import type { DescMethod } from "@bufbuild/protobuf";
import type {
  Metadata,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import type { Incoming } from "./arrival.ts";
import type { Cancellation } from "./cancellation.ts";
import { type Clock, systemClock } from "./clock.ts";
import { definitionOf } from "./grpc-codec.ts";
import { toStatus } from "./grpc-status.ts";
import { firstText, headerNames, readFacts, toHeaders, toMetadata } from "./headers.ts";
import type { AnyMessage, Host } from "./host.ts";
import { readCaller } from "./topology.ts";

type UnaryCall = ServerUnaryCall<AnyMessage, AnyMessage>;
// The part of a call that both kinds share.
type SurfaceCall = Pick<UnaryCall, "metadata" | "getDeadline" | "cancelled"> & {
  on(event: "cancelled", listener: () => void): unknown;
  off(event: "cancelled", listener: () => void): unknown;
};
type StreamCall = ServerDuplexStream<AnyMessage, AnyMessage>;

/** Lets a grpc-js server answer for a host: every rpc of its services. */
export function addHost(server: Server, host: Host, clock: Clock): void {
  for (const service of host.services) {
    const definitions = service.methods.map((method) => [method.localName, definitionOf(method)]);
    const handlers = service.methods.map((method) => [method.localName, handlerOf(method, host, clock)]);
    server.addService(Object.fromEntries(definitions), Object.fromEntries(handlers));
  }
}

function handlerOf(method: DescMethod, host: Host, clock: Clock): UntypedHandleCall {
  if (method.methodKind !== "unary") {
    return (call: StreamCall) => void answerStream(host, readIncoming(method, call, clock), call);
  }
  return (call: UnaryCall, callback: sendUnaryData<AnyMessage>) => {
    const incoming = readIncoming(method, call, clock);
    host.unary(incoming, call.request).then(
      ({ message, header, trailer, timing }) => {
        if (header !== undefined) call.sendMetadata(toMetadata(header));
        callback(null, message, trailerOf(trailer, timing));
      },
      // Nothing is sent ahead of an error: headers would commit the call, and no client could tell it was refused whole.
      (error: unknown) => callback(toStatus(error)),
    );
  };
}

// Headers and trailers of streams are not carried: nothing in Tripe sets them.
async function answerStream(host: Host, incoming: Incoming, call: StreamCall): Promise<void> {
  // A stray second error follows a cancelled stream; without a listener it would end the process.
  call.on("error", () => {});
  try {
    // An ordinary iterator would destroy the duplex at the last request, before the answers are out.
    for await (const message of host.stream(incoming, call.iterator({ destroyOnReturn: false }))) {
      if (!call.write(message)) await drained(call, incoming.cancellation);
    }
    call.end();
  } catch (error) {
    call.emit("error", toStatus(error));
  }
}

/** Resolves when more may be written, or when nobody reads any more. */
async function drained(call: StreamCall, cancellation: Cancellation | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  call.once("drain", resolve);
  cancellation?.onCancel(resolve);
  await promise;
  call.off("drain", resolve);
  cancellation?.offCancel(resolve);
}

function trailerOf(trailer: Headers | undefined, timing: string | undefined): Metadata | undefined {
  if (trailer === undefined && timing === undefined) return undefined;
  const metadata = toMetadata(trailer ?? []);
  if (timing !== undefined) metadata.set(headerNames.timing, timing);
  return metadata;
}

function readIncoming(method: DescMethod, call: SurfaceCall, clock: Clock): Incoming {
  const { metadata } = call;
  return {
    method,
    facts: readFacts((name) => firstText(metadata, name)),
    headers: () => toHeaders(metadata),
    deadlineMs: deadlineOf(call, clock),
    cancellation: new CallCancellation(call),
    // Put there by the proof (grpc-proof.ts).
    caller: readCaller(firstText(metadata, headerNames.caller)),
  };
}

class CallCancellation implements Cancellation {
  readonly #call: SurfaceCall;

  constructor(call: SurfaceCall) {
    this.#call = call;
  }

  get isCancelled(): boolean {
    return this.#call.cancelled;
  }

  onCancel(listener: () => void): void {
    this.#call.on("cancelled", listener);
  }

  offCancel(listener: () => void): void {
    this.#call.off("cancelled", listener);
  }
}

// grpc-js counts by the machine's clock, a host by its own: what they share is the time that is left.
function deadlineOf(call: SurfaceCall, clock: Clock): number | undefined {
  const deadlineMs = Number(call.getDeadline());
  return Number.isFinite(deadlineMs) ? clock.nowMs() + deadlineMs - systemClock.nowMs() : undefined;
}
