import { setImmediate as nextTurn } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { FindDueWorkResponseSchema, PostponedWork } from "../../../gen/tripe/reader/v1/deliveries_pb.ts";
import { ReaderService } from "../../../gen/tripe/reader/v1/reader_service_pb.ts";
import { SchedulerService } from "../../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { TransactionsService } from "../../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { WriterService } from "../../../gen/tripe/writer/v1/writer_service_pb.ts";
import { createServiceClient } from "../../_runtime/client.ts";
import { createClients } from "../../_runtime/clients.ts";
import { type Clock, createTestClock } from "../../_runtime/clock.ts";
import { createDirectTransport } from "../../_runtime/direct-transport.ts";
import { createHost, type Host } from "../../_runtime/host.ts";
import { silentLog } from "../../_runtime/log.ts";
import { createMemoryLog } from "../../_runtime/testing/memory-log.ts";
import { createScheduler, type Scheduler } from "../service.ts";

/** What a test lets the transactions service do with a sweep of attempts. */
export type ResolveAttempts = ServiceImpl<typeof TransactionsService>["resolveAttempts"];

/** What a test lets the writer do when CVCs are to be erased. */
export type EraseSealedCvcs = ServiceImpl<typeof WriterService>["eraseSealedCvcs"];

/** A writer in whose tables nothing is ever due. */
const nothing = () => ({});
const idleWriter = {
  leaseRenewals: nothing,
  leaseCollections: nothing,
  leaseMails: nothing,
  leaseDeliveries: nothing,
  dispatchEvents: nothing,
};

/** No hold is ever due either. */
const expireHolds = () => ({});

/** Something of every kind may be due, so that each sweep looks. */
const everything = create(FindDueWorkResponseSchema, { work: Object.values(PostponedWork) });

/** Starts a scheduler whose transactions service does as told, on a clock that stands still. */
export function setupScheduler(resolveAttempts: ResolveAttempts, eraseSealedCvcs: EraseSealedCvcs = nothing) {
  const clock = createTestClock();
  const log = createMemoryLog();
  const common = { log: silentLog, clock };
  const transactions = [{ service: TransactionsService, implementation: { resolveAttempts, expireHolds } }] as const;
  const writer = [{ service: WriterService, implementation: { ...idleWriter, eraseSealedCvcs } }] as const;
  const findDueWork = () => everything;
  const reader = [{ service: ReaderService, implementation: { findDueWork } }] as const;
  const hosts: Partial<Record<string, Host>> = {
    transactions: createHost({ name: "transactions", services: transactions, ...common }),
    reader: createHost({ name: "reader", services: reader, ...common }),
    writer: createHost({ name: "writer", services: writer, ...common }),
  };
  const transportFor = (name: string) => createDirectTransport({ host: () => hosts[name], clock, freeze: true });
  const clients = createClients({ caller: "scheduler", transportFor, ...common });
  const scheduler = createScheduler({ clients, clock, log });
  return { clock, log, scheduler, client: operatorOf(scheduler, clock) };
}

/** A client of a scheduler that calls as the operator, who may run a sweep by hand. */
export function operatorOf({ implementation }: Scheduler, clock: Clock) {
  const services = [{ service: SchedulerService, implementation }] as const;
  const host = createHost({ name: "scheduler", services, log: silentLog, clock });
  const transport = createDirectTransport({ host: () => host, clock, freeze: true });
  return createServiceClient(SchedulerService, "scheduler", transport, { caller: "operator", clock, log: silentLog });
}

/** Lets everything happen that can happen before time goes on. */
export async function settle(): Promise<void> {
  // A run is some ten turns of the loop, a hundred full ones a thousand.
  for (let turn = 0; turn < 2_000; turn += 1) await nextTurn();
}
