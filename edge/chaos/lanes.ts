/** Does the work for each item, so many at once, in the order of the items. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  width: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** So many numbers from 0, one after the other. */
export function* countTo(count: number): Generator<number> {
  for (let number = 0; number < count; number += 1) yield number;
}
