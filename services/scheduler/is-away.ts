import { Code, ConnectError } from "@connectrpc/connect";

/** Says whether a call failed because the service, or what it stands on, is not there at the moment. */
export function isAway(error: unknown): boolean {
  return error instanceof ConnectError && [Code.Unavailable, Code.DeadlineExceeded].includes(error.code);
}
