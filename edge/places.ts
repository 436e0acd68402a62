import { overloaded, tooManyAtOnce } from "./problems.ts";

/** Places for what is being worked on: refused early, by what is in progress and not by a queue. */
export interface Places {
  /** Takes a place for a holder, and gives the function that leaves it. Throws a Problem when there is none. */
  enter(holder: string): () => void;
}

/** Makes so many places, of which one holder may take so many. */
export function createPlaces({ max, ofHolderMax }: { max: number; ofHolderMax: number }): Places {
  const holders = countHolders(() => ofHolderMax);
  let taken = 0;
  return {
    enter(holder) {
      if (taken >= max) throw overloaded();
      const leave = holders.enter(holder);
      taken += 1;
      let hasLeft = false;
      return () => {
        if (!hasLeft) taken -= 1;
        hasLeft = true;
        leave();
      };
    },
  };
}

/** The places of each holder. */
export interface Holders extends Places {
  /** Whether a holder would find no place now. */
  isFull(holder: string): boolean;
}

/** Counts the places of each holder, of which one may take so many at a time. */
export function countHolders(ofHolderMax: () => number): Holders {
  const byHolder = new Map<string, number>();
  const count = (holder: string, change: number) => {
    const next = (byHolder.get(holder) ?? 0) + change;
    if (next === 0) byHolder.delete(holder);
    else byHolder.set(holder, next);
  };
  const isFull = (holder: string) => (byHolder.get(holder) ?? 0) >= ofHolderMax();
  return {
    isFull,
    enter(holder) {
      if (isFull(holder)) throw tooManyAtOnce();
      count(holder, 1);
      let hasLeft = false;
      return () => {
        if (!hasLeft) count(holder, -1);
        hasLeft = true;
      };
    },
  };
}
