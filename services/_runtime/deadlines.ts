// Ten times what the slowest ordinary call takes on a busy laptop (a render, some 400 ms), rounded up.
const DEFAULT_MS = 5_000;

// These wait for somebody outside: a bank, a mail server, a merchant's server, or work on many rows.
const byRpc: Readonly<Record<string, number>> = {
  // The edge answers its client within 10 s (7-reliability.md); 8 leave time to say that the bank has not spoken.
  CreateCharge: 8_000,
  CaptureCharge: 8_000,
  CreateReturn: 8_000,
  CollectInvoice: 8_000,
  Submit: 8_000,
  // RFC 5321 asks mail clients for minutes; a job retries, so a slow server costs one worker no longer than this.
  SendReceipt: 15_000,
  SendReturnNotice: 15_000,
  SendInvoice: 15_000,
  SendEndpointNotice: 15_000,
  // A page has 10 s (services/pdf); the first of a process waits for its printing thread, on a busy machine for seconds.
  RenderInvoice: 12_000,
  // What Stripe gives a merchant's endpoint to answer is not published; 15 s lets 10 for the server, 5 for the rest.
  DeliverEvent: 15_000,
  // Sets of up to 500 rows, each perhaps with an inquiry at the bank.
  ResolveAttempts: 30_000,
  ExpireHolds: 30_000,
  RunSweep: 30_000,
};

/** What a caller keeps for itself of the time it was given, so that it can still answer when a call of its own runs out. */
export const RESERVE_MS = 5;

/** The time a call of this rpc may take when nobody says less, in milliseconds. */
export function defaultTimeoutMs(rpc: string): number {
  return Object.hasOwn(byRpc, rpc) ? (byRpc[rpc] ?? DEFAULT_MS) : DEFAULT_MS;
}

/** When a call started now must end: its rpc's default or what its caller asks for, within what its caller has left. */
export function deadlineOf(call: {
  rpc: string;
  nowMs: number;
  /** When the caller itself must have answered; Infinity when nobody waits for it. */
  callerDeadlineMs: number;
  timeoutMs?: number | undefined;
}): number {
  return Math.min(call.callerDeadlineMs - RESERVE_MS, call.nowMs + (call.timeoutMs ?? defaultTimeoutMs(call.rpc)));
}
