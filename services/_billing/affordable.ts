/**
 * Which of a customer's items a bill takes beside what it bills anyway: every charge, and each credit, in the order given,
 * that does not bring the sum below zero. The other credits stay pending for a later bill: there is no customer balance yet
 * that would keep them. The items keep their order; amounts are minor units of one currency.
 */
export function affordable<Item extends { readonly amountMinor: bigint }>(
  items: readonly Item[],
  besideMinor: bigint,
): Item[] {
  const charges = items.filter(({ amountMinor }) => amountMinor >= 0n);
  let leftMinor = charges.reduce((sumMinor, { amountMinor }) => sumMinor + amountMinor, besideMinor);
  return items.filter(({ amountMinor }) => {
    if (amountMinor >= 0n) return true;
    if (leftMinor + amountMinor < 0n) return false;
    leftMinor += amountMinor;
    return true;
  });
}
