import { callerGone, currentCall } from "./call.ts";
import type { CallerName, ServiceName } from "./topology.ts";

/**
 * A tenth of what an edge may have in progress (256): billing runs, however many schedulers there are, leave the rest to merchants.
 * One scheduler has 16 invoices and 16 subscriptions in its hands at most, so that it seldom waits here.
 */
const SCHEDULER_MAX = 25;

/** The services that merchants' requests and billing runs share. */
const SHARED: ReadonlySet<ServiceName> = new Set(["transactions", "writer"]);

/** Keeps the scheduler's calls from taking a service that merchants need. */
export interface Bulkhead {
  /** Runs a call at once; one of the scheduler's when one of its places is free, unless nobody waits for it any more. */
  run<T>(caller: CallerName | undefined, work: () => Promise<T>): Promise<T>;
}

/** Makes the bulkhead of a service. Those who wait come in their order; there are no more than their caller has under way. */
export function createBulkhead(service: ServiceName, max = SCHEDULER_MAX): Bulkhead {
  const isShared = SHARED.has(service);
  const waiting: (() => void)[] = [];
  let takenCount = 0;
  const leave = () => {
    const next = waiting.shift();
    // The place is handed on.
    if (next === undefined) takenCount -= 1;
    else next();
  };
  const runLimited = async <T>(work: () => Promise<T>): Promise<T> => {
    if (takenCount < max) takenCount += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      if (currentCall()?.isCancelled === true) throw callerGone();
      return await work();
    } finally {
      leave();
    }
  };
  return { run: (caller, work) => (isShared && caller === "scheduler" ? runLimited(work) : work()) };
}
