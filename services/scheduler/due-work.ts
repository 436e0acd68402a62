import type { PostponedWork } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import type { SchedulerClients } from "./clients.ts";

/** What knowing the due work stands on. */
export interface DueWorkDependencies {
  readonly clients: Pick<SchedulerClients, "reader">;
  readonly clock: Clock;
}

/** All sweeps ask in the same tick, one after the other within some milliseconds. */
const ANSWER_AGE_MS = 250;

/** A reader that takes longer is asked in vain: the sweeps look for themselves. */
const ANSWER_MAX_MS = 1_000;

/** Each sweep looks for itself so often, whatever the reader says: an error in one statement leaves nothing undone for long. */
const LOOK_EVERY_MS = 30_000;

/** Says whether a sweep should look now: something of its work is due, or was not looked for in a while, or nothing is known. */
export type IsDue = (work: PostponedWork) => Promise<boolean>;

/** Creates one answer for all sweeps: at rest a scheduler makes one rpc a second, and not one for each kind of work. */
export function createDueWork({ clients, clock }: DueWorkDependencies): IsDue {
  let asked: { readonly atMs: number; readonly due: Promise<ReadonlySet<PostponedWork> | undefined> } | undefined;
  const lookedMs = new Map<PostponedWork, number>();
  const ask = () => {
    if (asked === undefined || clock.preciseMs() - asked.atMs >= ANSWER_AGE_MS) {
      const due = clients.reader.findDueWork({}, { timeoutMs: ANSWER_MAX_MS }).then(
        ({ work }) => new Set(work),
        () => undefined,
      );
      asked = { atMs: clock.preciseMs(), due };
    }
    return asked.due;
  };
  return async (work) => {
    const due = await ask();
    const nowMs = clock.preciseMs();
    const isLate = nowMs - (lookedMs.get(work) ?? Number.NEGATIVE_INFINITY) >= LOOK_EVERY_MS;
    const isDue = isLate || due === undefined || due.has(work);
    if (isDue) lookedMs.set(work, nowMs);
    return isDue;
  };
}
