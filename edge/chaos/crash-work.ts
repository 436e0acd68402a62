import type { ClientsOf } from "../../services/_runtime/clients.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import type { SweepName, Work } from "./crash-order.ts";

const clock = systemClock;
const log = silentLog;

/** The clients of a merchant's request. */
export type MoveClients = Pick<ClientsOf<"edge">, "reader" | "transactions">;

/** The clients of sweeps: the scheduler's, less webhooks. */
export type SweepClients = Pick<ClientsOf<"scheduler">, "reader" | "writer" | "transactions" | "pdf" | "mailer">;

/** Whom the work calls. */
export type WorkClients = MoveClients & SweepClients;

/** Loads what some work needs; what it gives does the work, once. */
export async function prepareWork(work: Work, clients: WorkClients): Promise<() => Promise<unknown>> {
  if (work.kind !== "sweeps") return () => move(work, clients);
  return prepareSweeps(work.names, clients);
}

/** Loads what some sweeps need; what it gives runs them in turn, once. */
export async function prepareSweeps(
  names: readonly SweepName[],
  clients: SweepClients,
): Promise<() => Promise<unknown>> {
  const prepared: (() => Promise<unknown>)[] = [];
  for (const name of names) prepared.push(await prepareSweep(name, clients));
  return async () => {
    for (const sweep of prepared) await sweep();
  };
}

/** Asks for a charge, a capture or a return; what is answered by its id and its state. */
export async function move(work: Exclude<Work, { kind: "sweeps" }>, { reader, transactions }: MoveClients) {
  const { accountId, requestId } = work;
  const key = { accountId, requestId, requestDigest: new Uint8Array([1]) };
  const amountMinor = BigInt(work.amountMinor);
  if (work.kind === "charge") {
    const { customerId, paymentMethodId } = work;
    await reader.getCustomer({ accountId, customerId });
    const amount = { amountMinor, currencyCode: "USD" };
    const { charge } = await transactions.createCharge({ ...key, charge: { customerId, paymentMethodId, amount } });
    return { id: charge?.chargeId ?? "", state: charge?.state };
  }
  const { chargeId } = work;
  await reader.getCharge({ accountId, chargeId });
  if (work.kind === "capture") {
    const { charge } = await transactions.captureCharge({ ...key, chargeId, amountMinor });
    return { id: charge?.chargeId ?? "", state: charge?.state };
  }
  const { return: record } = await transactions.createReturn({ ...key, chargeId, amountMinor });
  return { id: record?.returnId ?? "", state: record?.state };
}

/** More than the sweeps of these tests ever find. */
const ATTEMPTS_LIMIT = 100;

/** What events cause is sent by sweeps of its own. */
const noWorkers = { fill: async () => 0 };

async function prepareSweep(name: SweepName, clients: SweepClients): Promise<() => Promise<unknown>> {
  const dependencies = { clients, clock, log };
  switch (name) {
    case "attempts":
      return () => clients.transactions.resolveAttempts({ limit: ATTEMPTS_LIMIT });
    case "renewals": {
      const { renewDue } = await import("../../services/scheduler/renew.ts");
      return () => renewDue(dependencies);
    }
    case "collections": {
      const { collectDue } = await import("../../services/scheduler/collect.ts");
      return () => collectDue(dependencies);
    }
    case "mails": {
      const { createMails } = await import("../../services/scheduler/mails.ts");
      return async () => {
        const workers = createMails(dependencies);
        await workers.fill();
        await workers.stop();
      };
    }
    case "events": {
      const { dispatchEvents } = await import("../../services/scheduler/dispatch.ts");
      return () => dispatchEvents({ ...dependencies, deliveries: noWorkers, mails: noWorkers });
    }
  }
}
