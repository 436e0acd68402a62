import { Code } from "@connectrpc/connect";
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import { createRefusal } from "./errors.ts";
import { toStatus } from "./grpc-status.ts";
import { firstText, headerNames } from "./headers.ts";
import type { Log } from "./log.ts";
import type { CheckToken } from "./tokens.ts";
import type { CallerName } from "./topology.ts";

/** Finds who makes a call, by what cannot be forged; undefined when nothing proves it. */
export type ProveCaller = (
  call: Pick<ServerInterceptingCallInterface, "getAuthContext">,
  metadata: Metadata,
) => CallerName | undefined;

// Whoever reaches a server may ask whether it serves, and for the contracts, which are public.
const OPEN_PATHS = /^\/grpc\.(?:health|reflection)\./;

const BEARER = "Bearer ";

/** Proves callers by the token in `authorization`. */
export function proveByToken(check: CheckToken): ProveCaller {
  return (_call, metadata) => {
    const given = firstText(metadata, headerNames.authorization) ?? "";
    return given.startsWith(BEARER) ? check(given.slice(BEARER.length)) : undefined;
  };
}

/**
 * Refuses every call that does not prove its caller, before its message is read, and puts the proved name where the host
 * looks for it. A call that claims another name than it proves is refused too.
 */
export function createProofInterceptor(prove: ProveCaller, log: Log): ServerInterceptor {
  return ({ path }, call) => {
    if (OPEN_PATHS.test(path)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, accept) {
            const caller = prove(call, metadata);
            const claimed = firstText(metadata, headerNames.caller);
            if (caller === undefined || (claimed !== undefined && claimed !== caller)) {
              log.warn("a call without proof of its caller was refused", { path });
              call.sendStatus(createStatus());
              return;
            }
            metadata.set(headerNames.caller, caller);
            metadata.remove(headerNames.authorization);
            accept(metadata);
          },
        }),
    });
  };
}

// Made when it is needed: the first error of a process loads Node's Headers, 50 ms and some megabytes.
function createStatus() {
  return toStatus(
    createRefusal({
      code: Code.Unauthenticated,
      reason: "CALLER_NOT_PROVEN",
      field: "",
      message: "the call does not prove who makes it",
    }),
  );
}
