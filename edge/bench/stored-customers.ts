import { postOf, type Template } from "./load-plan.ts";
import { SECRET_KEY } from "./measured-tripe.ts";

/** Customers side by side while they are made: enough to be quick, and no load to speak of. */
const SIDE_BY_SIDE = 10;

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

/** One POST outside of what is measured; rejects unless it is answered 200. */
export async function post(
  port: number,
  key: string,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: new URLSearchParams(form),
  });
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`POST ${path} was answered ${answer.status}: ${body}`);
  return JSON.parse(body) as Record<string, unknown>;
}

/** Charges of 20 USD on the stored cards, by these weights; alike for all of them when there are none. */
export function chargesOf({ key, customerIds }: Merchant, weights?: readonly number[]): Template[] {
  return customerIds.map((customer, at) => ({
    text: postOf("/v1/charges", key, { amount: "2000", currency: "usd", customer }),
    weight: weights?.[at] ?? 1,
  }));
}
