import { create, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { type LaneAnswer, LaneAnswerSchema, type LaneCall } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Clock } from "./clock.ts";
import { refuse } from "./errors.ts";
import { factPairs } from "./headers.ts";
import type { AnyMessage, Host } from "./host.ts";
import { factsOf, fromLaneHeaders, sizeOfMetadata, toLaneHeaders } from "./lane-messages.ts";
import type { CallerName } from "./topology.ts";

/** What the calls of a lane are answered with. */
export interface AnsweringOptions {
  readonly host: Host;
  /** The unary rpcs by their paths. */
  readonly methods: ReadonlyMap<string, DescMethod>;
  /** Who has opened the lane, as was proved. */
  readonly caller: CallerName;
  readonly clock: Clock;
  /** The largest answer, in bytes. */
  readonly maxMessageBytes: number;
}

// As much as HTTP/2 usually takes as metadata of a call.
const METADATA_MAX_BYTES = 16_384;

/** Carries out a call of a lane as if it had come alone; never rejects. */
export async function answerLaneCall(
  call: LaneCall,
  cancellation: Cancellation,
  options: AnsweringOptions,
): Promise<LaneAnswer> {
  try {
    return bounded(await run(call, cancellation, options), options.maxMessageBytes);
  } catch (error) {
    return bounded(failureOf(call.id, ConnectError.from(error)), options.maxMessageBytes);
  }
}

async function run(call: LaneCall, cancellation: Cancellation, options: AnsweringOptions): Promise<LaneAnswer> {
  const { host, methods, caller, clock } = options;
  const method = methods.get(call.path);
  if (method === undefined) throw new ConnectError(`${call.path} is not served here`, Code.Unimplemented);
  if (call.caller !== undefined && call.caller !== caller) {
    refuse(Code.Unauthenticated, "CALLER_NOT_PROVEN", `${caller} calls under another name`);
  }
  const facts = factsOf(call);
  const { message, timing, header, trailer } = await host.unary(
    {
      method,
      facts,
      headers: () => new Headers([...fromLaneHeaders(call.headers), ...factPairs(caller, facts)]),
      deadlineMs: call.timeoutMs === undefined ? undefined : clock.nowMs() + call.timeoutMs,
      cancellation,
      caller,
    },
    readMessage(method, call),
  );
  return create(LaneAnswerSchema, {
    id: call.id,
    payload: toBinary(method.output, message),
    ...(timing === undefined ? {} : { timing }),
    ...(header === undefined ? {} : { headers: toLaneHeaders(header) }),
    ...(trailer === undefined ? {} : { trailers: toLaneHeaders(trailer) }),
  });
}

function readMessage(method: DescMethod, { payload }: LaneCall): AnyMessage {
  try {
    return fromBinary(method.input, payload);
  } catch {
    // Plain gRPC answers INTERNAL too.
    throw new ConnectError(`the payload is no ${method.input.typeName}`, Code.Internal);
  }
}

function failureOf(id: number, error: ConnectError): LaneAnswer {
  const trailers = setTrailerStatus(new Headers(), error);
  // They stand in fields of their own.
  trailers.delete("grpc-status");
  trailers.delete("grpc-message");
  const { code, rawMessage: message } = error;
  return create(LaneAnswerSchema, { id, code, message, trailers: toLaneHeaders(trailers) });
}

function bounded(answer: LaneAnswer, maxMessageBytes: number): LaneAnswer {
  const { id, payload, code } = answer;
  if (payload.length <= maxMessageBytes && sizeOfMetadata(answer) <= METADATA_MAX_BYTES) return answer;
  return create(LaneAnswerSchema, {
    id,
    code: code || Code.ResourceExhausted,
    message: `the answer is larger than the ${maxMessageBytes} bytes that it may have`,
  });
}
