/**
 * Makes a source of numbers from 0 up to 1 that a seed repeats: Mulberry32, 32 bits, by Tommy Ettinger (public domain). Small, and good enough
 * to choose faults and test data with; never for secrets.
 */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
