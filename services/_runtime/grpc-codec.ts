import { type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import type { AnyMessage } from "./host.ts";

/** The path of an rpc: "/package.Service/Method". */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/**
 * Describes an rpc to grpc-js. Everything but unary is described as a stream both ways: it is the same on the wire, so
 * that the adapters have two cases instead of four.
 */
export function definitionOf(method: DescMethod): Definition {
  const known = definitions.get(method) ?? createDefinition(method);
  definitions.set(method, known);
  return known;
}

type Definition = MethodDefinition<AnyMessage, AnyMessage>;

const definitions = new WeakMap<DescMethod, Definition>();

function createDefinition(method: DescMethod): Definition {
  const isStream = method.methodKind !== "unary";
  return {
    path: pathOf(method),
    originalName: method.localName,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: (message) => toBuffer(toBinary(method.input, message)),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => toBuffer(toBinary(method.output, message)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
