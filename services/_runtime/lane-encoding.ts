import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type {
  CarryRequest,
  CarryResponse,
  LaneAnswer,
  LaneCall,
  LaneHeader,
} from "../../gen/tripe/lane/v1/lane_service_pb.ts";

// The two messages of a lane, written as the generated code writes them (lane-encoding.test.ts). That makes a new buffer for each
// message and doubles it until all is in; one that is kept saves a tenth of a call.

const { Varint, LengthDelimited } = WireType;

// Absent while it is in use: what throws leaves nothing behind for the next message.
let idle: BinaryWriter | undefined;

function write(fill: (writer: BinaryWriter) => void): Buffer {
  const writer = idle ?? new BinaryWriter();
  idle = undefined;
  fill(writer);
  const bytes = writer.finish();
  idle = writer;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes what a caller sends. */
export function encodeRequest({ calls, cancelledIds }: Pick<CarryRequest, "calls" | "cancelledIds">): Buffer {
  return write((writer) => {
    for (const call of calls) writeCall(writer, call);
    if (cancelledIds.length === 0) return;
    writer.tag(2, LengthDelimited).fork();
    for (const id of cancelledIds) writer.int32(id);
    writer.join();
  });
}

/** Writes what a service sends. */
export function encodeResponse({ answers, lastId }: Pick<CarryResponse, "answers" | "lastId">): Buffer {
  return write((writer) => {
    for (const answer of answers) writeAnswer(writer, answer);
    if (lastId !== undefined) writer.tag(2, Varint).int32(lastId);
  });
}

function writeCall(writer: BinaryWriter, call: LaneCall): void {
  writer.tag(1, LengthDelimited).fork();
  writeNumber(writer, 1, call.id);
  writeText(writer, 2, call.path);
  writeBytes(writer, 3, call.payload);
  if (call.timeoutMs !== undefined) writer.tag(4, Varint).int32(call.timeoutMs);
  writeText(writer, 5, call.requestId);
  if (call.clientKey !== undefined) writer.tag(6, LengthDelimited).string(call.clientKey);
  writeText(writer, 7, call.traceId);
  writeText(writer, 8, call.spanId);
  writeText(writer, 9, call.parentId);
  if (call.wantsTiming) writer.tag(10, Varint).bool(true);
  writeHeaders(writer, 11, call.headers);
  if (call.caller !== undefined) writer.tag(12, LengthDelimited).string(call.caller);
  writer.join();
}

function writeAnswer(writer: BinaryWriter, answer: LaneAnswer): void {
  writer.tag(1, LengthDelimited).fork();
  writeNumber(writer, 1, answer.id);
  writeBytes(writer, 2, answer.payload);
  if (answer.isPartial) writer.tag(3, Varint).bool(true);
  writeNumber(writer, 4, answer.code);
  writeText(writer, 5, answer.timing);
  writeHeaders(writer, 6, answer.headers);
  writeHeaders(writer, 7, answer.trailers);
  writeText(writer, 8, answer.message);
  writer.join();
}

function writeHeaders(writer: BinaryWriter, field: number, headers: readonly LaneHeader[]): void {
  for (const { name, value } of headers) {
    writer.tag(field, LengthDelimited).fork();
    writeText(writer, 1, name);
    writeText(writer, 2, value);
    writer.join();
  }
}

// Zero and nothing are left out, as proto3 has it.

function writeNumber(writer: BinaryWriter, field: number, value: number): void {
  if (value !== 0) writer.tag(field, Varint).int32(value);
}

function writeText(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, LengthDelimited).string(value);
}

function writeBytes(writer: BinaryWriter, field: number, value: Uint8Array): void {
  if (value.length > 0) writer.tag(field, LengthDelimited).bytes(value);
}
