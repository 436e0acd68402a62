import { systemClock } from "../../services/_runtime/clock.ts";
import type { Merchant } from "./merchant.ts";

/** How often something is asked. */
export interface Rates {
  readonly chargesPerS: number;
  readonly readsPerS: number;
}

/** What a steady load met. */
export interface SteadyLoad {
  /** Every request that was not answered with 200 at its first try: what was asked, and the status; 0 for none. */
  readonly failures: string[];
  /** How long each took, from when it was due. */
  readonly chargesMs: number[];
  readonly readsMs: number[];
  /** Ends it, and waits for the last answers. */
  end(): Promise<void>;
}

/** Charges, and reads charges, at constant rates, whatever is answered, and nothing a second time. */
export function startLoad(merchant: Merchant, { chargesPerS, readsPerS }: Rates): SteadyLoad {
  const load = { failures: [] as string[], chargesMs: [] as number[], readsMs: [] as number[] };
  let isOver = false;
  const charge = async () => {
    const status = await merchant.tryOnce(merchant.wish());
    if (status !== 200) load.failures.push(`a charge: ${status}`);
  };
  const read = async () => {
    const id = merchant.wishes.find(({ ids }) => ids.length > 0)?.ids[0];
    const { status } = await merchant.ask(id === undefined ? "/v1/charges?limit=3" : `/v1/charges/${id}`);
    if (status !== 200) load.failures.push(`a read: ${status}`);
  };
  const paced = async (perS: number, run: () => Promise<void>, times: number[]) => {
    const running: Promise<void>[] = [];
    const startMs = systemClock.preciseMs();
    while (!isOver) {
      const dueMs = startMs + (running.length * 1_000) / perS;
      await systemClock.sleep(Math.max(0, dueMs - systemClock.preciseMs()));
      running.push(run().then(() => void times.push(systemClock.preciseMs() - dueMs)));
    }
    await Promise.all(running);
  };
  const all = Promise.all([paced(chargesPerS, charge, load.chargesMs), paced(readsPerS, read, load.readsMs)]);
  return {
    ...load,
    end: async () => {
      isOver = true;
      await all;
    },
  };
}
