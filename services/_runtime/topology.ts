/** The services of Tripe, in the order in which they may be started: callees before their callers. */
export const serviceNames = [
  "reader",
  "writer",
  "pdf",
  "bank",
  "scheduler",
  "transactions",
  "mailer",
  "webhooks",
] as const;

/** One of the eight internal services. */
export type ServiceName = (typeof serviceNames)[number];

/** Who may start a call: a service, or the edge, which nobody calls over gRPC. */
export type CallerName = ServiceName | "edge";

/** What is added to PORT to get each port, so that two Tripes with distant PORTs run side by side. */
export const portOffset = {
  edge: 0,
  reader: 1,
  writer: 2,
  pdf: 3,
  bank: 4,
  scheduler: 5,
  transactions: 6,
  mailer: 7,
  webhooks: 8,
  sandboxBank: 9,
  postgres: 10,
} as const;

/** A callee with `true` may be called for every rpc, one with a list for the named rpcs only. */
type Callees = Partial<Record<ServiceName, true | readonly string[]>>;

// Calls only go down: the edge, then transactions and scheduler (they decide), then the rest (they do). A graph
// without cycles can be restarted in any order, and its deadlines add up.
const callees: Record<CallerName, Callees> = {
  edge: {
    reader: true,
    writer: true,
    transactions: true,
    scheduler: ["GetStatus"],
    pdf: true,
    bank: true,
    mailer: true,
  },
  scheduler: { reader: true, writer: true, transactions: true, pdf: true, mailer: true, webhooks: true },
  transactions: { reader: true, writer: true, bank: true },
  reader: {},
  writer: {},
  pdf: {},
  bank: {},
  mailer: {},
  webhooks: {},
};

// What only one caller is told, whoever else may call the rest of that service: the secrets of endpoints.
const reserved: Readonly<Record<string, CallerName>> = { GetDelivery: "scheduler" };

/** Says whether `caller` may call `callee`: the rpc of that name, or, without one, any rpc at all. */
export function mayCall(caller: CallerName, callee: ServiceName, rpc?: string): boolean {
  const allowed = callees[caller][callee];
  if (allowed === undefined) return false;
  if (rpc !== undefined && Object.hasOwn(reserved, rpc) && reserved[rpc] !== caller) return false;
  return allowed === true || rpc === undefined || allowed.includes(rpc);
}

/** Says whether `caller` may call anybody at all. */
export function callsAnybody(caller: CallerName): boolean {
  return Object.keys(callees[caller]).length > 0;
}

/** Says whether a word names a service. */
export function isServiceName(word: string): word is ServiceName {
  return (serviceNames as readonly string[]).includes(word);
}

/** Says whether a word names somebody who may start a call. */
export function isCallerName(word: string): word is CallerName {
  return word === "edge" || isServiceName(word);
}
