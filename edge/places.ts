import type { Problem } from "./problem.ts";
import { overloaded, tooManyAtOnce } from "./problems.ts";

/** Places for what is being worked on: refused early, by what is in progress and not by a queue. */
export interface Places {
  /** Takes a place for a holder, and gives the function that leaves it. Throws a Problem when there is none. */
  enter(holder: string): () => void;
}

/** Makes so many places, of which one holder may take so many. */
export function createPlaces({ max, ofHolderMax }: { max: number; ofHolderMax: number }): Places {
  const byHolder = new Map<string, number>();
  let taken = 0;
  const count = (holder: string, change: number) => {
    const next = (byHolder.get(holder) ?? 0) + change;
    if (next === 0) byHolder.delete(holder);
    else byHolder.set(holder, next);
    taken += change;
  };
  const problem = (holder: string): Problem | undefined => {
    if (taken >= max) return overloaded();
    return (byHolder.get(holder) ?? 0) >= ofHolderMax ? tooManyAtOnce() : undefined;
  };
  return {
    enter(holder) {
      const full = problem(holder);
      if (full !== undefined) throw full;
      count(holder, 1);
      let hasLeft = false;
      return () => {
        if (!hasLeft) count(holder, -1);
        hasLeft = true;
      };
    },
  };
}
