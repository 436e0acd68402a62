import { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { StatusObject } from "@grpc/grpc-js";
import { toMetadata } from "./headers.ts";

/** An error as grpc-js sends it, with the details that callers read by `refusalOf`. */
export function toStatus(error: unknown): StatusObject & Error {
  const shown = ConnectError.from(error);
  const metadata = toMetadata(setTrailerStatus(new Headers(), shown));
  return Object.assign(new Error(shown.rawMessage), { code: Number(shown.code), details: shown.rawMessage, metadata });
}
