import { systemClock } from "../../services/_runtime/clock.ts";
import { createId } from "../../services/_runtime/ids.ts";
import { postOf, type Template } from "./load-plan.ts";
import { SECRET_KEY } from "./measured-tripe.ts";

/** Customers side by side while they are made: enough to be quick, and no load to speak of. */
const SIDE_BY_SIDE = 10;

/** What a client asks again under the same key: shed, late, or still running. */
const AGAIN = new Set([409, 429, 503]);

/** A merchant with customers who each have a card stored. */
export interface Merchant {
  readonly key: string;
  readonly customerIds: readonly string[];
}

/** Makes customers with a stored card. */
export async function createMerchant(port: number, count: number, key = SECRET_KEY): Promise<Merchant> {
  const customerIds: string[] = [];
  while (customerIds.length < count) {
    const batch = Math.min(SIDE_BY_SIDE, count - customerIds.length);
    const made = Array.from({ length: batch }, () => post(port, key, "/v1/customers", { source: "tok_visa" }));
    for (const { id } of await Promise.all(made)) customerIds.push(String(id));
  }
  return { key, customerIds };
}

/** A machine that is busy answers late; a minute of that is too much. */
const PATIENCE_MS = 60_000;
const AGAIN_MS = 200;

/** One POST outside of what is measured, again under its key while it is shed or late; rejects unless it is answered 200. */
export async function post(
  port: number,
  key: string,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${key}`, "idempotency-key": createId("bench_") };
  const endMs = systemClock.preciseMs() + PATIENCE_MS;
  for (;;) {
    const url = `http://127.0.0.1:${port}${path}`;
    const answer = await fetch(url, { method: "POST", headers, body: new URLSearchParams(form) });
    const body = await answer.text();
    if (answer.status === 200) return JSON.parse(body) as Record<string, unknown>;
    const isLate = systemClock.preciseMs() > endMs;
    if (isLate || !AGAIN.has(answer.status)) throw new Error(`POST ${path} was answered ${answer.status}: ${body}`);
    await systemClock.sleep(AGAIN_MS);
  }
}

/** Charges of 20 USD on the stored cards, by these weights; alike for all of them when there are none. */
export function chargesOf({ key, customerIds }: Merchant, weights?: readonly number[]): Template[] {
  return customerIds.map((customer, at) => ({
    text: postOf("/v1/charges", key, { amount: "2000", currency: "usd", customer }),
    weight: weights?.[at] ?? 1,
  }));
}
