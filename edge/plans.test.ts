import { expect, test } from "vitest";
import type { ObservedCall } from "../services/_runtime/client.ts";
import { startBench } from "./testing/tripe.ts";

// Each rpc is held back 30 ms before it is sent, whoever calls it. An action then takes as long as its critical path: what
// does not depend on each other must run side by side, and in the order of 1-architecture.md, "How an action composes".
const DELAY_MS = 30;
// Each delay's timer is late by one or two, and the rest is the machine's.
const TOLERANCE_MS = 20;
let delayMs = 0;
let calls: ObservedCall[] = [];

const bench = await startBench({ hooks: { delayMs: () => delayMs, observe: (call) => calls.push(call) } });

/** A public request; with `fresh` parameters for each time it is made. */
interface Asked {
  readonly method: "DELETE" | "GET" | "POST";
  readonly url: string;
  readonly params?: object;
  /** What only works once, made anew before each time; not timed. */
  readonly fresh?: () => Promise<{ readonly url?: string; readonly params?: object }>;
}

interface Run {
  /** What the delays added. */
  readonly delayedMs: number;
  /** Calls of the edge, in the order in which they started; those that started together, side by side, in one list. */
  readonly plan: readonly (readonly string[])[];
  readonly body: Record<string, unknown>;
  /** Every remote call by its name, in the order in which they ended. */
  readonly remoteCalls: readonly string[];
}

// The best of three, delayed and not: the machine's own moods are no part of a plan.
const TIMES = 3;

async function run(asked: Asked): Promise<Run> {
  const plain = await best(asked, 0);
  const delayed = await best(asked, DELAY_MS);
  return {
    delayedMs: delayed.ms - plain.ms,
    body: delayed.body,
    plan: planOf(calls.filter(({ caller }) => caller === "edge")),
    remoteCalls: calls.map(({ rpc }) => rpc),
  };
}

async function best(asked: Asked, delay: number): Promise<{ ms: number; body: Record<string, unknown> }> {
  let body: Record<string, unknown> = {};
  let ms = Number.POSITIVE_INFINITY;
  for (let time = 0; time < TIMES; time += 1) {
    const { url, params } = { params: {}, ...asked, ...(await asked.fresh?.()) };
    calls = [];
    delayMs = delay;
    const startMs = performance.now();
    const answer = await send(asked.method, url, params);
    ms = Math.min(ms, performance.now() - startMs);
    delayMs = 0;
    body = answer.body;
  }
  return { ms, body };
}

function send(method: Asked["method"], url: string, params: object) {
  if (method === "POST") return bench.ask({ method, url, payload: params });
  return bench.ask({ method, url: `${url}?${new URLSearchParams(Object.entries(params))}` });
}

// Half a delay apart is together: a call that waits for another starts a whole delay later.
function planOf(made: readonly ObservedCall[]): string[][] {
  const ordered = made.toSorted((a, b) => a.startMs - b.startMs);
  const steps: { startMs: number; names: string[] }[] = [];
  for (const { service, rpc, startMs } of ordered) {
    const last = steps.at(-1);
    if (last !== undefined && startMs - last.startMs < DELAY_MS / 2) last.names.push(`${service}.${rpc}`);
    else steps.push({ startMs, names: [`${service}.${rpc}`] });
  }
  return steps.map(({ names }) => names.sort());
}

function expectCriticalPath({ delayedMs }: Run, delays: number): void {
  expect(Math.abs(delayedMs - delays * DELAY_MS)).toBeLessThanOrEqual(TOLERANCE_MS);
}

const quick = async (url: string, params: object) => (await bench.ask({ method: "POST", url, payload: params })).body;
const card = { number: "4242424242424242", exp_month: 12, exp_year: 2034, cvc: "123" };
const customer = await quick("/v1/customers", { source: card });
const charge = await quick("/v1/charges", { amount: 5_000, currency: "usd", customer: customer["id"] });
const chargeUrl = `/v1/charges/${String(charge["id"])}`;

test("a charge of a customer: GetPayer, then CreateCharge with its three, five remote calls in all", async () => {
  const params = { amount: 500, currency: "usd", customer: customer["id"] };
  const made = await run({ method: "POST", url: "/v1/charges", params });
  expect(made.body["status"]).toBe("succeeded");
  expect(made.plan).toEqual([["reader.GetPayer"], ["transactions.CreateCharge"]]);
  expect(made.remoteCalls).toEqual(["GetPayer", "BeginCharge", "Submit", "SettleCharge", "CreateCharge"]);
  expectCriticalPath(made, 5);
});

test("a charge of a token has the same plan", async () => {
  const fresh = async () => {
    const token = await quick("/v1/tokens", { card });
    return { params: { amount: 500, currency: "usd", source: token["id"] } };
  };
  const made = await run({ method: "POST", url: "/v1/charges", fresh });
  expect(made.body["status"]).toBe("succeeded");
  expect(made.plan).toEqual([["reader.GetPayer"], ["transactions.CreateCharge"]]);
  expectCriticalPath(made, 5);
});

test("a return: GetCharge, then CreateReturn with its three", async () => {
  const made = await run({ method: "POST", url: "/v1/refunds", params: { charge: charge["id"], amount: 100 } });
  expect(made.body["status"]).toBe("succeeded");
  expect(made.plan).toEqual([["reader.GetCharge"], ["transactions.CreateReturn"]]);
  expect(made.remoteCalls).toEqual(["GetCharge", "BeginReturn", "Submit", "SettleReturn", "CreateReturn"]);
  expectCriticalPath(made, 5);
});

test("a customer: one write; with a card, sealed and stored before", async () => {
  const bare = await run({ method: "POST", url: "/v1/customers", params: { email: "a@example.com" } });
  expect(bare.plan).toEqual([["writer.CreateCustomer"]]);
  expectCriticalPath(bare, 1);
  const withCard = await run({ method: "POST", url: "/v1/customers", params: { source: card } });
  expect(withCard.plan).toEqual([["bank.SealCard"], ["writer.CreateToken"], ["writer.CreateCustomer"]]);
  expectCriticalPath(withCard, 3);
});

test("another card for a customer is sealed while the customer is read", async () => {
  const url = `/v1/customers/${String(customer["id"])}/sources`;
  const made = await run({ method: "POST", url, params: { source: "tok_visa" } });
  expect(made.plan).toEqual([
    ["bank.SealCard", "reader.GetCustomer"],
    ["writer.CreateToken"],
    ["writer.AttachPaymentMethod"],
  ]);
  expectCriticalPath(made, 3);
});

test("a charge shown whole: its returns beside it, then its customer beside its booking", async () => {
  const params = { "expand[0]": "customer", "expand[1]": "balance_transaction", "expand[2]": "refunds" };
  const shown = await run({ method: "GET", url: chargeUrl, params });
  expect(shown.plan).toEqual([
    ["reader.GetCharge", "reader.ListReturns"],
    ["reader.GetCustomer", "reader.GetLedgerTransfer"],
  ]);
  expectCriticalPath(shown, 2);
});

test("a list reads each customer once, beside each other, and the filter's beside the list", async () => {
  const params = { customer: customer["id"], "expand[0]": "data.customer", "expand[1]": "data.balance_transaction" };
  const listed = await run({ method: "GET", url: "/v1/charges", params });
  const bookings = listed.remoteCalls.filter((rpc) => rpc === "GetLedgerTransfer").map((rpc) => `reader.${rpc}`);
  expect(bookings.length).toBeGreaterThan(1);
  expect(listed.plan).toEqual([["reader.GetCustomer", "reader.ListCharges"], bookings]);
  expectCriticalPath(listed, 2);
});

test("a deletion and the change of a charge are one write each", async () => {
  const fresh = async () => ({ url: `/v1/customers/${String((await quick("/v1/customers", {}))["id"])}` });
  const deleted = await run({ method: "DELETE", url: "", fresh });
  expect(deleted.plan).toEqual([["writer.DeleteCustomer"]]);
  expectCriticalPath(deleted, 1);
  const changed = await run({ method: "POST", url: chargeUrl, params: { description: "x" } });
  expect(changed.plan).toEqual([["writer.UpdateCharge"]]);
  expectCriticalPath(changed, 1);
});
