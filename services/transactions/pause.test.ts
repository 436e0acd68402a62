import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { TransactionsService } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { createServiceClient } from "../_runtime/client.ts";
import { createTestClock, systemClock } from "../_runtime/clock.ts";
import { createDirectTransport } from "../_runtime/direct-transport.ts";
import { createHost } from "../_runtime/host.ts";
import { silentLog as log } from "../_runtime/log.ts";
import { startTestTripe } from "../testing.ts";
import { createTransactions } from "./service.ts";
import { createSteps, effectsOf, makeDue } from "./testing.ts";

const calls: string[] = [];
const tripe = await startTestTripe({ observe: ({ service, rpc }) => calls.push(`${service}.${rpc}`) });
const { accountId } = tripe;

/** A transactions service that stands still for so long whenever it was given a lease, as under SIGSTOP. */
function setup(pauseMs: number) {
  const clock = createTestClock(systemClock.nowMs());
  const { writer, bank } = tripe.clientsOf("transactions");
  const pausing = <Given extends readonly unknown[], Answer>(call: (...given: Given) => Promise<Answer>) => {
    return async (...given: Given) => {
      const answer = await call(...given);
      clock.advance(pauseMs);
      return answer;
    };
  };
  const paused = {
    ...writer,
    beginCharge: pausing(writer.beginCharge),
    beginReturn: pausing(writer.beginReturn),
    leaseAttempts: pausing(writer.leaseAttempts),
  };
  const dependencies = { clients: { writer: paused, bank }, clock, log, random: Math.random };
  const services = [{ service: TransactionsService, implementation: createTransactions(dependencies) }];
  const host = createHost({ name: "transactions", services, log, clock: systemClock });
  const transport = createDirectTransport({ host: () => host, clock: systemClock, freeze: true });
  const clientOf = (caller: "edge" | "scheduler") =>
    createServiceClient(TransactionsService, "transactions", transport, { caller, clock: systemClock, log });
  calls.length = 0;
  return { ...createSteps(tripe), edgeOf: clientOf("edge"), schedulerOf: clientOf("scheduler") };
}

test("who was paused for longer than a lease asks no bank any more, and a resolver does", async () => {
  const { createPayer, chargeRequest, charge, edgeOf, schedulerOf } = setup(12_000);
  const request = chargeRequest(await createPayer());
  const { charge: pending } = await edgeOf.createCharge(request);
  const chargeId = pending?.chargeId ?? "";
  expect(pending?.state).toBe(ChargeState.PENDING);
  await makeDue(tripe, chargeId);
  expect(await schedulerOf.resolveAttempts({ limit: 10 })).toMatchObject({ takenCount: 1, settledCount: 0 });
  expect(calls.filter((call) => call === "bank.Submit" || call === "bank.Inquire")).toEqual([]);
  await makeDue(tripe, chargeId);
  const { transactions } = tripe.clientsOf("scheduler");
  expect(await transactions.resolveAttempts({ limit: 10 })).toMatchObject({ takenCount: 1, settledCount: 1 });
  expect((await charge(request)).charge.state).toBe(ChargeState.SUCCEEDED);
  expect(await effectsOf(tripe, chargeId)).toHaveLength(1);
});

test("a pause within the lease changes nothing", async () => {
  const { createPayer, chargeRequest, edgeOf } = setup(11_000);
  const { charge } = await edgeOf.createCharge(chargeRequest(await createPayer()));
  expect(charge?.state).toBe(ChargeState.SUCCEEDED);
});

test("a return is left to the resolver likewise", async () => {
  const { key, createPayer, chargeRequest, charge, edgeOf } = setup(12_000);
  const { chargeId } = (await charge(chargeRequest(await createPayer()))).charge;
  const request = { ...key(), chargeId, amountMinor: 500n };
  expect((await edgeOf.createReturn(request)).return?.state).toBe(ReturnState.PENDING);
  await makeDue(tripe, chargeId);
  const { transactions, reader } = { ...tripe.clientsOf("scheduler"), reader: tripe.clientsOf("edge").reader };
  await transactions.resolveAttempts({ limit: 10 });
  const { returns } = await reader.listReturns({ accountId, chargeId });
  expect(returns.map(({ state }) => state)).toEqual([ReturnState.SUCCEEDED]);
});
