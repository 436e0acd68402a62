import { setImmediate as nextTurn } from "node:timers/promises";
import { createClient, type ServiceImpl } from "@connectrpc/connect";
import { SchedulerService } from "../../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { TransactionsService } from "../../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { createServiceClient } from "../../_runtime/client.ts";
import { createTestClock } from "../../_runtime/clock.ts";
import { createDirectTransport } from "../../_runtime/direct-transport.ts";
import { createHost } from "../../_runtime/host.ts";
import { silentLog } from "../../_runtime/log.ts";
import { createMemoryLog } from "../../_runtime/testing/memory-log.ts";
import { createScheduler } from "../service.ts";

/** What a test lets the transactions service do with a sweep of attempts. */
export type ResolveAttempts = ServiceImpl<typeof TransactionsService>["resolveAttempts"];

/** Starts a scheduler whose transactions service does as told, on a clock that stands still. */
export function setupScheduler(resolveAttempts: ResolveAttempts) {
  const clock = createTestClock();
  const log = createMemoryLog();
  const services = [{ service: TransactionsService, implementation: { resolveAttempts } }] as const;
  const callee = createHost({ name: "transactions", services, log: silentLog, clock });
  const down = createDirectTransport({ host: () => callee, clock, freeze: true });
  const transactions = createServiceClient(TransactionsService, "transactions", down, {
    caller: "scheduler",
    clock,
    log: silentLog,
  });
  const scheduler = createScheduler({ clients: { transactions }, clock, log });
  const { implementation } = scheduler;
  const hosted = [{ service: SchedulerService, implementation }] as const;
  const host = createHost({ name: "scheduler", services: hosted, log: silentLog, clock });
  // Without a name one is the operator, who may run a sweep by hand.
  const client = createClient(SchedulerService, createDirectTransport({ host: () => host, clock, freeze: true }));
  return { clock, log, scheduler, client };
}

/** Lets everything happen that can happen before time goes on. */
export async function settle(): Promise<void> {
  // A run is some ten turns of the loop, a hundred full ones a thousand.
  for (let turn = 0; turn < 2_000; turn += 1) await nextTurn();
}
