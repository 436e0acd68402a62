import { type Client, ConnectError } from "@connectrpc/connect";
import { onTestFinished } from "vitest";
import { createServiceClient, type ObservedCall } from "../client.ts";
import { systemClock } from "../clock.ts";
import type { CallerName, ServiceName } from "../topology.ts";
import { createMemoryLog, type MemoryLog } from "./memory-log.ts";
import { ProbeService } from "./probe_pb.ts";
import { mayCallProbe } from "./probe-calls.ts";
import type { Probe, Wired, Wiring } from "./wirings.ts";

/** A probe that serves, and a client that calls it. */
export interface ProbeSetup {
  readonly wired: Wired;
  readonly client: Client<typeof ProbeService>;
  /** What both sides wrote down. */
  readonly log: MemoryLog;
  /** Every try the client made. */
  readonly observed: ObservedCall[];
}

/** Serves a probe over a transport until the test ends; unless told otherwise it is the reader, called by the edge. */
export async function setupProbe(
  wire: Wiring,
  implementation: Probe,
  { name = "reader", caller = "edge" }: { name?: ServiceName; caller?: CallerName } = {},
): Promise<ProbeSetup> {
  const log = createMemoryLog();
  const observed: ObservedCall[] = [];
  const wired = await wire({ name, implementation, log, caller });
  onTestFinished(async () => {
    wired.transport.close();
    await wired.remove();
  });
  const observe = (call: ObservedCall) => observed.push(call);
  const client = createServiceClient(ProbeService, name, wired.transport, {
    caller,
    clock: systemClock,
    log,
    observe,
    mayCall: mayCallProbe,
  });
  return { wired, log, observed, client };
}

/** What a call failed with; throws when it did not fail. */
export async function failureOf(promise: Promise<unknown>): Promise<ConnectError> {
  const caught = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (caught instanceof ConnectError) return caught;
  throw new Error("expected a ConnectError", { cause: caught });
}
