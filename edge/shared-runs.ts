import type { Clock } from "../services/_runtime/clock.ts";
import { overloaded } from "./problems.ts";

/** Runs the same work for many at once. */
export interface SharedRuns<Result> {
  /**
   * Gives the result of a run that starts now or later, never of one that has started: it has seen everything that was true
   * when it was asked for. Throws a Problem, 503, when too many wait for the same run.
   */
  run(name: string, work: () => Promise<Result>): Promise<Result>;
}

/** Makes runs of which those of one name follow each other, with `restMs` at least from the start of one to the next. */
export function createSharedRuns<Result>({
  clock,
  restMs,
  waitingMax,
}: {
  clock: Clock;
  restMs: number;
  waitingMax: number;
}): SharedRuns<Result> {
  const busy = new Map<string, Promise<unknown>>();
  const next = new Map<string, { readonly result: Promise<Result>; waiting: number }>();
  const start = (name: string, work: () => Promise<Result>) => {
    const running = work();
    const over = Promise.allSettled([running, clock.sleep(restMs)]).then(() => busy.delete(name));
    busy.set(name, over);
    return running;
  };
  return {
    async run(name, work) {
      const before = busy.get(name);
      if (before === undefined) return start(name, work);
      const joined = next.get(name);
      if (joined !== undefined) {
        if (joined.waiting >= waitingMax) throw overloaded();
        joined.waiting += 1;
        return joined.result;
      }
      const result = before.then(() => {
        next.delete(name);
        return start(name, work);
      });
      next.set(name, { result, waiting: 1 });
      return result;
    },
  };
}
