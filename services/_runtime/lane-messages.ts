import { create, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import {
  type LaneAnswer,
  type LaneCall,
  type LaneHeader,
  LaneHeaderSchema,
  LaneService,
} from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import type { CallFacts } from "./call-facts.ts";
import { pathOf } from "./grpc-codec.ts";
import { readRules } from "./message-rules.ts";

/** The largest message in a lane, in bytes: the room that HTTP/2 gives a stream before its reader has read anything. */
export const LANE_MESSAGE_MAX_BYTES = 65_536;

/** Calls of a lane that are unanswered at a time: several times what a peer has in flight, and at the most 64 MiB of requests. */
export const LANE_CALLS_MAX = 1_024;

/** The bytes of a frame beside its payload and its texts, at the most: tags and lengths of twelve fields, and numbers. */
export const FRAME_MAX_BYTES = 96;

// A header's tags and lengths, likewise.
const HEADER_MAX_BYTES = 16;

// UTF-8 takes so many bytes for a unit of UTF-16, at the most.
const BYTES_PER_UNIT = 3;

/** Carry as grpc-js is to know it: messages stay bytes, so that malformed ones are judged here. */
export const laneDefinition: MethodDefinition<Buffer, Buffer> = {
  path: pathOf(LaneService.method.carry),
  requestStream: true,
  responseStream: true,
  requestSerialize: (bytes) => bytes,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: (bytes) => bytes,
  responseDeserialize: (bytes) => bytes,
};

/** Reads a message of a lane; throws when it is malformed, too long, or breaks a rule of its contract. */
export function decodeMessage<D extends DescMessage>(schema: D, bytes: Buffer): MessageShape<D> {
  if (bytes.length > LANE_MESSAGE_MAX_BYTES) throw new Error("a message is too long");
  const message = fromBinary(schema, bytes);
  const violation = readRules(schema)(message);
  if (violation !== undefined) throw new Error(`a message breaks its contract: ${violation.words}`);
  return message;
}

/** The bytes that a call takes in a message, at the most. */
export function sizeOfCall(call: LaneCall): number {
  const { path, payload, requestId, clientKey = "", traceId, spanId, parentId, headers, caller = "" } = call;
  const texts = path.length + requestId.length + traceId.length + spanId.length + parentId.length + caller.length;
  return FRAME_MAX_BYTES + payload.length + BYTES_PER_UNIT * (texts + clientKey.length) + sizeOfHeaders(headers);
}

/** The bytes that an answer takes in a message, at the most. */
export function sizeOfAnswer(answer: LaneAnswer): number {
  return answer.payload.length + sizeOfMetadata(answer);
}

/** The same without its payload. */
export function sizeOfMetadata({ timing, message, headers, trailers }: LaneAnswer): number {
  const texts = BYTES_PER_UNIT * (timing.length + message.length);
  return FRAME_MAX_BYTES + texts + sizeOfHeaders(headers) + sizeOfHeaders(trailers);
}

function sizeOfHeaders(headers: readonly LaneHeader[]): number {
  let size = 0;
  for (const { name, value } of headers) size += HEADER_MAX_BYTES + BYTES_PER_UNIT * (name.length + value.length);
  return size;
}

/** Reads the facts of a call. */
export function factsOf({ requestId, clientKey, traceId, spanId, parentId, wantsTiming }: LaneCall): CallFacts {
  return {
    requestId: requestId || undefined,
    clientKey,
    traceId: traceId || undefined,
    spanId: spanId || undefined,
    parentId,
    wantsTiming,
  };
}

/** Writes headers for a message. */
export function toLaneHeaders(pairs: Iterable<[string, string]>): LaneHeader[] {
  return Array.from(pairs, ([name, value]) => create(LaneHeaderSchema, { name, value }));
}

/** Reads headers of a message. */
export function fromLaneHeaders(headers: readonly LaneHeader[]): [string, string][] {
  return headers.map(({ name, value }) => [name, value]);
}
