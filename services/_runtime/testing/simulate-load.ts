import type { ConcurrencyLimit } from "../concurrency-limit.ts";

/** A service of one worker that takes whatever waits as one batch, as group commit does. */
export interface SimulatedService {
  /** What a batch costs, however small. */
  readonly batchMs: number;
  /** What each of its requests adds. */
  readonly requestMs: number;
}

/** Some seconds of a constant load. */
export interface SimulatedLoad {
  readonly perS: number;
  readonly seconds: number;
  readonly service: SimulatedService;
}

/** What came of a load. */
export interface SimulatedOutcome {
  readonly answeredPerS: number;
  readonly refusedCount: number;
  /** How long those that were admitted took, the shortest first. */
  readonly takenMs: readonly number[];
  /** The limit at the end of each second. */
  readonly limits: readonly number[];
}

/** A machine of the test's own time, on which loads run one after the other against one limit. */
export function createSimulation() {
  let nowMs = 0;
  const clock = { preciseMs: () => nowMs };
  let waiting: { arrivedMs: number; end: ReturnType<ConcurrencyLimit["begin"]> }[] = [];
  let batch: typeof waiting = [];
  let batchEndMs = 0;
  return {
    clock,
    /** Runs a load, millisecond by millisecond. */
    run(limit: ConcurrencyLimit, { perS, seconds, service }: SimulatedLoad): SimulatedOutcome {
      const startMs = nowMs;
      const takenMs: number[] = [];
      const limits: number[] = [];
      let offered = 0;
      let refusedCount = 0;
      while (nowMs < startMs + seconds * 1_000) {
        nowMs += 1;
        if (batch.length > 0 && nowMs >= batchEndMs) {
          for (const { arrivedMs, end } of batch) {
            takenMs.push(nowMs - arrivedMs);
            end({ kind: "charge", ownMs: nowMs - arrivedMs });
          }
          batch = [];
        }
        for (; offered < ((nowMs - startMs) * perS) / 1_000; offered += 1) {
          if (limit.hasRoom()) waiting.push({ arrivedMs: nowMs, end: limit.begin() });
          else refusedCount += 1;
        }
        if (batch.length === 0 && waiting.length > 0) {
          batch = waiting;
          waiting = [];
          batchEndMs = nowMs + service.batchMs + batch.length * service.requestMs;
        }
        if ((nowMs - startMs) % 1_000 === 0) limits.push(limit.limit());
      }
      takenMs.sort((a, b) => a - b);
      return { answeredPerS: takenMs.length / seconds, refusedCount, takenMs, limits };
    },
  };
}
