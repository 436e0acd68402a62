import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { type LaneAnswer, type LaneCall, LaneCallSchema } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import { systemClock } from "./clock.ts";
import { pathOf } from "./grpc-codec.ts";
import {
  createGrpcTransport,
  type GrpcTransport,
  type GrpcTransportOptions,
  toConnectError,
} from "./grpc-transport.ts";
import { fromLaneHeaders, toLaneHeaders } from "./lane-messages.ts";
import { Lanes } from "./lanes.ts";
import { MESSAGE_MAX_BYTES } from "./limits.ts";
import { headerPairs, type OutgoingCall, type ServiceTransport, type TransportReply } from "./service-transport.ts";

/**
 * Carries unary calls in lanes (tripe.lane.v1), and by plain gRPC what does not fit there: streams, large requests, health. Calls are
 * spread over the addresses by what is in flight at each.
 */
export function createLaneTransport(options: GrpcTransportOptions): ServiceTransport {
  const peers = options.addresses.map((address) => createPeer({ ...options, addresses: [address] }));
  const choose = createChooser(peers);
  const anyOf = async (ask: (peer: Peer) => Promise<boolean>): Promise<boolean> => {
    const asked = peers.map(async (peer) => ((await ask(peer)) ? true : Promise.reject(new Error("no"))));
    return Promise.any(asked).catch(() => false);
  };
  return {
    unary: (method, call, input) => callUnary(choose(), method, call, create(method.input, input)),
    stream: (method, call, input) => choose().grpc.stream(method, call, input),
    ready: (withinMs) => anyOf(({ grpc }) => grpc.ready(withinMs)),
    isServing: (withinMs) => anyOf(({ grpc }) => grpc.isServing(withinMs)),
    close() {
      for (const { grpc, lanes } of peers) {
        lanes.close();
        grpc.close();
      }
    },
  };
}

/** A service at one address. */
interface Peer {
  readonly grpc: GrpcTransport;
  readonly lanes: Lanes;
}

function createPeer(options: GrpcTransportOptions): Peer {
  const grpc = createGrpcTransport(options);
  const readFailure = (failure: unknown) => toConnectError(failure, undefined);
  const maxAnswerBytes = options.maxMessageBytes ?? MESSAGE_MAX_BYTES;
  return { grpc, lanes: new Lanes({ open: grpc.openLane, readFailure, clock: systemClock, maxAnswerBytes }) };
}

// The one with the fewest calls in flight, among those that are connected if there are any; of equals, each in turn.
function createChooser(peers: readonly Peer[]): () => Peer {
  const [only, ...others] = peers;
  if (only === undefined) throw new Error("a service has no address");
  if (others.length === 0) return () => only;
  const inTurn = [...peers];
  return () => {
    inTurn.push(...inTurn.splice(0, 1));
    const connected = inTurn.filter(({ grpc }) => grpc.isConnected());
    return (connected.length > 0 ? connected : inTurn).reduce((a, b) => (b.lanes.load < a.lanes.load ? b : a));
  };
}

async function callUnary<I extends DescMessage, O extends DescMessage>(
  { grpc, lanes }: Peer,
  method: DescMethodUnary<I, O>,
  call: OutgoingCall,
  message: MessageShape<I>,
): Promise<TransportReply<O>> {
  const frame = frameOf(method, call, toBinary(method.input, message));
  if (!lanes.isServed || !lanes.fits(frame)) return grpc.unary(method, call, message);
  const answer = await lanes.call(frame, call);
  if (answer.code !== 0) throw failureOf(answer);
  return replyOf(method.output, answer);
}

function frameOf(method: DescMethod, { caller, facts, headers }: OutgoingCall, payload: Uint8Array): LaneCall {
  const { requestId = "", clientKey, traceId = "", spanId = "", parentId, wantsTiming } = facts;
  return create(LaneCallSchema, {
    path: pathOf(method),
    payload,
    requestId,
    traceId,
    spanId,
    parentId,
    wantsTiming,
    ...(caller === undefined ? {} : { caller }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(headers === undefined ? {} : { headers: toLaneHeaders(headerPairs(headers)) }),
  });
}

function replyOf<O extends DescMessage>(
  schema: O,
  { payload, timing, headers, trailers }: LaneAnswer,
): TransportReply<O> {
  let message: MessageShape<O>;
  try {
    message = fromBinary(schema, payload);
  } catch (error) {
    throw new ConnectError(`the answer is no ${schema.typeName}`, Code.Internal, undefined, undefined, error);
  }
  return {
    message,
    timing: timing || undefined,
    header: headers.length === 0 ? undefined : new Headers(fromLaneHeaders(headers)),
    trailer: trailers.length === 0 ? undefined : new Headers(fromLaneHeaders(trailers)),
  };
}

function failureOf({ code, message, trailers }: LaneAnswer): ConnectError {
  const metadata = new Headers(fromLaneHeaders(trailers));
  return findTrailerError(metadata) ?? new ConnectError(message, code, metadata);
}
