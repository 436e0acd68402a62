import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../gen/tripe/type/v1/error_info_pb.ts";

// In a file of their own for programs that call nobody, such as the sandbox bank: they need not load Connect.
export { assert, unreachable } from "./assert.ts";

/** What a program may know of a refusal, the same on both sides of every transport. */
export interface Refusal {
  readonly code: Code;
  /** Why, in UPPER_SNAKE_CASE: stable, to be decided on. */
  readonly reason: string;
  /** The path of the request's field at fault; empty when none is. */
  readonly field: string;
  /** Why, for people; may change. */
  readonly message: string;
}

/** What a caller is told of every fault: the cause is in the log, never in an answer. */
export const FAULT_MESSAGE = "an internal error occurred";

/** Says no, on purpose: throws a ConnectError that carries one ErrorInfo. The caller finds it with `refusalOf`. */
export function refuse(code: Code, reason: string, message: string, field = ""): never {
  throw createRefusal({ code, reason, message, field });
}

/** Makes the error that `refuse` throws, for those who must return it instead. */
export function createRefusal({ code, reason, message, field }: Refusal): ConnectError {
  return new ConnectError(message, code, undefined, [{ desc: ErrorInfoSchema, value: { reason, field } }]);
}

/** Reads a refusal out of what was caught; undefined when it is none: a fault, or a transport's own error. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info === undefined) return undefined;
  return { code: error.code, reason: info.reason, field: info.field, message: error.rawMessage };
}

/**
 * Turns whatever a handler threw into what its caller may see: refusals and transports' errors as they are. An INTERNAL refusal is a fault
 * that its caller has to recognize by the reason. What a call throws because it was cancelled is that cancellation.
 */
export function toPublicError(error: unknown, cancelReason: ConnectError | undefined): ConnectError {
  if (error instanceof ConnectError && refusalOf(error) !== undefined) return error;
  if (error instanceof ConnectError && error.code !== Code.Unknown && error.code !== Code.Internal) return error;
  if (cancelReason !== undefined) return cancelReason;
  return new ConnectError(FAULT_MESSAGE, Code.Internal, undefined, undefined, error);
}

/** Writes a code as logs and gRPC's documents do: "not_found". */
export function codeName(code: Code): string {
  return Code[code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
}
