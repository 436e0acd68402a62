import type { ChargeBounds } from "../_runtime/charge-bounds.ts";

/**
 * Which of a customer's items a bill takes beside what it bills anyway: each charge, in the order given, that the most has room
 * for, then each credit that leaves nothing or no less than the least. The others stay pending for a later bill: there is no
 * customer balance yet that would keep them. Nothing is taken when the charges beside a free bill come to less than the least.
 * The items keep their order; amounts are minor units of one currency.
 */
export function affordable<Item extends { readonly amountMinor: bigint }>(
  items: readonly Item[],
  besideMinor: bigint,
  { leastMinor, mostMinor }: ChargeBounds,
): Item[] {
  const taken = new Set<Item>();
  let sumMinor = besideMinor;
  const take = (item: Item) => {
    taken.add(item);
    sumMinor += item.amountMinor;
  };
  for (const item of items) if (item.amountMinor >= 0n && sumMinor + item.amountMinor <= mostMinor) take(item);
  if (sumMinor > 0n && sumMinor < leastMinor) return [];
  for (const item of items) {
    const leftMinor = sumMinor + item.amountMinor;
    if (item.amountMinor < 0n && (leftMinor === 0n || leftMinor >= leastMinor)) take(item);
  }
  return items.filter((item) => taken.has(item));
}
