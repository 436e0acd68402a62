import { currentCall } from "../_runtime/call.ts";

/** The merchant's request behind a change, as the events of that change name it. */
export interface Cause {
  /** "req_…", as the merchant was answered with it; empty when no request is behind the change. */
  readonly publicRequestId: string;
  /** The merchant's own Idempotency-Key; empty when it sent none. */
  readonly clientKey: string;
}

const NOBODY: Cause = { publicRequestId: "", clientKey: "" };

/** What is behind the work in progress: nobody's request, when the scheduler or an operator asked for it. */
export function currentCause(): Cause {
  const call = currentCall();
  if (call?.clientKey === undefined) return NOBODY;
  return { publicRequestId: call.requestId, clientKey: call.clientKey };
}
