import { once } from "node:events";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
  experimental,
  type Metadata,
} from "@grpc/grpc-js";
import { isSocketAddress, targetOf } from "./addresses.ts";
import type { Cancellation } from "./cancellation.ts";
import { peerNameOf } from "./certificates.ts";
import { systemClock } from "./clock.ts";
import type { Dialing } from "./dialing.ts";
import { definitionOf } from "./grpc-codec.ts";
import { factPairs, firstText, headerNames, toHeaders, toMetadata } from "./headers.ts";
import type { AnyMessage } from "./host.ts";
import { laneDefinition } from "./lane-messages.ts";
import { MESSAGE_MAX_BYTES } from "./limits.ts";
import {
  headerPairs,
  markUnread,
  type OutgoingCall,
  type ServiceTransport,
  type TransportReply,
} from "./service-transport.ts";
import type { ServiceName } from "./topology.ts";

/** What `createGrpcTransport` needs. */
export interface GrpcTransportOptions {
  /** The service that must answer there: over TCP its certificate proves it. */
  readonly name: ServiceName;
  /** Where it listens, all "unix:/path" or all "host:port"; several share the calls. */
  readonly addresses: readonly string[];
  readonly dialing: Dialing;
  /** The largest message, in and out, in bytes; default MESSAGE_MAX_BYTES. */
  readonly maxMessageBytes?: number;
}

/** A transport over gRPC, and what lanes need of it. */
export interface GrpcTransport extends ServiceTransport {
  /** Opens a stream of bytes, with the same proof as every call. */
  openLane(): ClientDuplexStream<Buffer, Buffer>;
  /** Whether there is a connection; without one it starts to make one. */
  isConnected(): boolean;
}

/** Carries calls over one grpc-js channel. It connects at the first call, and again whenever the service comes back. */
export function createGrpcTransport(options: GrpcTransportOptions): GrpcTransport {
  const client = new Client(targetOf(options.addresses), credentialsOf(options), channelOptions(options));
  const proof = proofOf(options);
  return {
    unary: (method, call, input) => callUnary(client, method, metadataOf(call, proof), call, input),
    async stream(method, call, input) {
      const stream = openStream(client, method, metadataOf(call, proof), call);
      sendAll(stream, method.input, input);
      const message = receiveAll<typeof method.output>(stream, call.cancellation);
      return { stream: true, service: method.parent, method, header: new Headers(), trailer: new Headers(), message };
    },
    ready: (withinMs) =>
      new Promise((resolve) => {
        client.waitForReady(systemClock.nowMs() + withinMs, (error) => resolve(error === undefined));
      }),
    isServing: (withinMs) => checkHealth(client, withinMs),
    openLane() {
      const { path, requestSerialize, responseDeserialize } = laneDefinition;
      return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, toMetadata(proof));
    },
    isConnected: () => client.getChannel().getConnectivityState(true) === connectivityState.READY,
    close: () => client.close(),
  };
}

function isOverSockets({ addresses }: GrpcTransportOptions): boolean {
  const sockets = addresses.filter(isSocketAddress);
  if (sockets.length === addresses.length) return true;
  if (sockets.length === 0) return false;
  throw new Error(`${addresses.join(",")}: addresses of one service are all sockets or all host:port`);
}

function proofOf(options: GrpcTransportOptions): [string, string][] {
  const token = options.dialing.tokens[options.name];
  return !isOverSockets(options) || token === undefined ? [] : [[headerNames.authorization, `Bearer ${token}`]];
}

function credentialsOf(options: GrpcTransportOptions): ChannelCredentials {
  if (isOverSockets(options)) return credentials.createInsecure();
  const { name, addresses, dialing } = options;
  const { certificates } = dialing;
  if (certificates === undefined) throw new Error(`${addresses.join(",")} is TCP, which needs TRIPE_TLS_DIR`);
  return experimental.createCertificateProviderChannelCredentials(certificates, certificates, {
    checkServerIdentity: (_host, certificate) =>
      peerNameOf(certificate) === name ? undefined : new Error(`the server does not prove to be ${name}`),
  });
}

function metadataOf({ headers, caller, facts }: OutgoingCall, proof: readonly [string, string][]): Metadata {
  return toMetadata([...headerPairs(headers), ...factPairs(caller, facts), ...proof]);
}

function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  metadata: Metadata,
  { timeoutMs, cancellation }: OutgoingCall,
  input: MessageInitShape<I>,
): Promise<TransportReply<O>> {
  const { path, requestSerialize } = definitionOf(method);
  return new Promise((resolve, reject) => {
    if (cancellation?.isCancelled === true) return reject(canceled());
    let leading: Metadata | undefined;
    let trailing: Metadata | undefined;
    const cancel = () => call.cancel();
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      (bytes: Buffer) => fromBinary(method.output, bytes),
      create(method.input, input),
      metadata,
      deadlineOf(timeoutMs),
      (error, message) => {
        cancellation?.offCancel(cancel);
        if (error !== null) return reject(toConnectError(error, cancellation));
        if (message === undefined) return reject(new ConnectError("no message came", Code.Unimplemented));
        resolve({
          message,
          get timing() {
            return trailing === undefined ? undefined : firstText(trailing, headerNames.timing);
          },
          // Most callers read neither, and making Headers costs as much as a small call.
          get header() {
            return headersOf(leading);
          },
          get trailer() {
            return headersOf(trailing);
          },
        });
      },
    );
    call.on("metadata", (metadata) => {
      leading = metadata;
    });
    call.on("status", (status) => {
      trailing = status.metadata;
    });
    cancellation?.onCancel(cancel);
  });
}

function openStream(
  client: Client,
  method: DescMethod,
  metadata: Metadata,
  { timeoutMs, cancellation }: OutgoingCall,
): ClientDuplexStream<AnyMessage, AnyMessage> {
  const { path, requestSerialize, responseDeserialize } = definitionOf(method);
  const deadline = deadlineOf(timeoutMs);
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, deadline);
  // A stray second error follows a cancelled stream; without a listener it would end the process.
  call.on("error", () => {});
  const cancel = () => call.cancel();
  if (cancellation?.isCancelled === true) cancel();
  cancellation?.onCancel(cancel);
  call.once("close", () => cancellation?.offCancel(cancel));
  return call;
}

function sendAll<I extends DescMessage>(
  call: ClientDuplexStream<AnyMessage, AnyMessage>,
  schema: I,
  messages: AsyncIterable<MessageInitShape<I>>,
): void {
  const send = async () => {
    for await (const message of messages) {
      if (call.destroyed) return;
      if (!call.write(create(schema, message))) await once(call, "drain");
    }
    call.end();
  };
  // The receiving side reports what went wrong; all that is left here is to stop.
  send().catch(() => call.cancel());
}

async function* receiveAll<O extends DescMessage>(
  call: ClientDuplexStream<AnyMessage, AnyMessage>,
  cancellation: Cancellation | undefined,
): AsyncGenerator<MessageShape<O>> {
  try {
    // An ordinary iterator would destroy the duplex while requests are still to be sent.
    for await (const message of call.iterator({ destroyOnReturn: false })) yield message;
  } catch (error) {
    throw toConnectError(error, cancellation);
  } finally {
    call.cancel();
  }
}

const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });

function channelOptions(options: GrpcTransportOptions): ChannelOptions {
  const { maxMessageBytes = MESSAGE_MAX_BYTES, name } = options;
  return {
    // Several addresses, or a name that stands for several, share the calls.
    ...(options.addresses.length > 1 || !isOverSockets(options) ? { "grpc.service_config": ROUND_ROBIN } : {}),
    // What the certificate must name; else grpc-js would want the host's name in it.
    "grpc.ssl_target_name_override": name,
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    // A service that was restarted is found again 60 ms after it listens (measured), not after grpc-js's second.
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1_000,
    // A peer that vanished without a word (a cut cable, SIGSTOP) is noticed in 15 s. Servers of grpc-js allow it.
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    // Retries live in one place, above every transport.
    "grpc.enable_retries": 0,
    // Statistics and look-ups that nobody here needs; a proxy set for the outside must not catch our own calls.
    "grpc.enable_channelz": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    // Its own connection, so that closing a transport ends something.
    "grpc.use_local_subchannel_pool": 1,
  };
}

function checkHealth(client: Client, withinMs: number): Promise<boolean> {
  // grpc.health.v1: an empty request asks for the whole process; field 1 of the answer is 1 while it is SERVING.
  const serving = Buffer.from([0x08, 0x01]);
  const same = (bytes: Buffer) => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      same,
      same,
      Buffer.alloc(0),
      deadlineOf(withinMs),
      (error, answer) => resolve(error === null && answer?.equals(serving) === true),
    );
  });
}

function deadlineOf(timeoutMs: number | undefined): { deadline?: number } {
  return timeoutMs === undefined ? {} : { deadline: systemClock.nowMs() + timeoutMs };
}

function headersOf(metadata: Metadata | undefined): Headers {
  return metadata === undefined ? new Headers() : toHeaders(metadata);
}

function canceled(): ConnectError {
  return new ConnectError("the call was cancelled", Code.Canceled);
}

// The words of grpc-js 1.14.7 for calls that never reached a server: refused by HTTP/2 at its end, or without a connection.
const UNREAD =
  /^(?:Stream refused by server$|Write error: .*NGHTTP2_REFUSED_STREAM$|(?:round_robin: )?No connection established)/;

/** Reads what a call of grpc-js has failed with; marked when it is certain that no server has read the call. */
export function toConnectError(error: unknown, cancellation: Cancellation | undefined): ConnectError {
  if (!isStatus(error)) return ConnectError.from(error);
  // A server that is forced to stop resets its calls as if they were cancelled; but nobody here has cancelled.
  if (Number(error.code) === Code.Canceled && cancellation?.isCancelled !== true) {
    return new ConnectError("the service cut the call", Code.Unavailable);
  }
  if (Number(error.code) === Code.Unavailable && UNREAD.test(error.details)) {
    return markUnread(new ConnectError(error.details, Code.Unavailable));
  }
  const headers = headersOf(error.metadata);
  const code = error.code in Code ? error.code : Code.Internal;
  return findTrailerError(headers) ?? new ConnectError(error.details, code, headers);
}

function isStatus(error: unknown): error is { code: number; details: string; metadata?: Metadata } {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}
