import type { Finding } from "../../services/_audit/audit.ts";
import type { Merchant } from "./merchant.ts";
import { until, type WholeTripe } from "./whole-tripe.ts";

/** What a merchant's memory, Tripe's list, the bank's statement and the audit say to each other. */
export interface Proof {
  readonly chargesCount: number;
  readonly paidCount: number;
  /** How long the last pending charge was waited for. */
  readonly finalMs: number;
  /** Every contradiction, in words: none when all is well. */
  readonly problems: readonly string[];
  readonly findings: readonly Finding[];
}

/** All that a client may be told: done, declined, still running, too many, come back, too late, or nothing at all. Never a 500. */
const ANSWERS = new Set([0, 200, 402, 409, 429, 503]);

/** The lease of a killed owner, and what a resolver does after it, on a busy machine. */
const FINAL_MAX_MS = 90_000;

/**
 * Waits until every charge is final and compares: each key is one charge, each id that was acknowledged is that charge's,
 * the bank took the amount of each paid charge once and nothing else, and the books balance.
 */
export async function prove(tripe: WholeTripe, merchant: Merchant, finalMaxMs = FINAL_MAX_MS): Promise<Proof> {
  const allFinal = async () => (await merchant.listCharges()).every(({ status }) => status !== "pending");
  const finalMs = await until(allFinal, finalMaxMs, "every charge is final");
  const charges = await merchant.listCharges();
  const problems: string[] = [...new Set(merchant.faults)];
  const byKey = Map.groupBy(charges, ({ metadata }) => metadata["key"] ?? "");
  for (const { key, ids, statuses } of merchant.wishes) {
    const made = byKey.get(key) ?? [];
    if (made.length !== 1) problems.push(`${key} is ${made.length} charges`);
    for (const id of ids) if (id !== made[0]?.id) problems.push(`${key} was told ${id} and is ${made[0]?.id}`);
    for (const status of statuses) if (!ANSWERS.has(status)) problems.push(`${key} was answered ${status}`);
  }
  if (charges.length !== merchant.wishes.length)
    problems.push(`${charges.length} charges of ${merchant.wishes.length}`);
  const paid = charges.filter(({ status }) => status === "succeeded").map(({ amount }) => amount);
  const taken = (await tripe.statement()).map(({ amountMinor }) => Number(amountMinor));
  if (join(paid) !== join(taken)) problems.push("the bank took other amounts than those of the paid charges");
  return { chargesCount: charges.length, paidCount: paid.length, finalMs, problems, findings: await tripe.audit() };
}

function join(amounts: readonly number[]): string {
  return [...amounts].sort((a, b) => a - b).join(" ");
}
