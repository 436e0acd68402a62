import { systemClock } from "../../services/_runtime/clock.ts";
import { killAndRecover, pause, sendAndHangUp, stopPostgres } from "./blows.ts";
import { countTo, inParallel } from "./lanes.ts";
import type { Merchant } from "./merchant.ts";
import type { Random } from "./random.ts";
import { type ProcessName, processNames, type WholeTripe } from "./whole-tripe.ts";

/** What a phase of the soak works with. */
export interface Bench {
  readonly tripe: WholeTripe;
  readonly merchant: Merchant;
  readonly random: Random;
  /** Keeps a time under a name, for the percentiles at the end. */
  readonly note: (what: string, ms: number) => void;
}

/** One way to make things hard, some hundred times over. */
export interface Phase {
  /** The row of RESULTS.md. */
  readonly row: string;
  readonly sentence: string;
  /** How much of it when nothing else is asked for: that row's right-hand size. */
  readonly size: number;
  /** What goes wrong at the bank meanwhile, as TRIPE_BANK_FAULTS says it. */
  readonly bankFaults?: string;
  /** How long the last charge may take to be final; a lease and a sweep, when nothing is said. */
  readonly finalMaxMs?: number;
  run(bench: Bench, size: number): Promise<void>;
}

/** T2: charges in flight at each kill. */
const IN_FLIGHT = 50;

/** Each phase by the word that asks for it. */
export const phases: Readonly<Record<string, Phase>> = {
  kills: {
    row: "T2",
    sentence: "kill -9 of each process under charges in flight, rounds of all ten",
    size: 25,
    async run(bench, rounds) {
      for (let round = 0; round < rounds; round += 1) {
        for (const name of bench.random.shuffle(processNames)) {
          await underCharges(bench, async () => bench.note(`kill -9 ${name}`, await killAndRecover(bench.tripe, name)));
        }
      }
    },
  },
  pauses: {
    row: "T3",
    sentence: "SIGSTOP for 5 to 60 s of transactions, writer or scheduler, then SIGCONT",
    size: 30,
    async run(bench, rounds) {
      const { random, tripe } = bench;
      for (let round = 0; round < rounds; round += 1) {
        const name = random.pick<ProcessName>(["transactions", "writer", "scheduler"]);
        await underCharges(bench, () => pause(tripe, name, 5_000 + random.next() * 55_000));
        bench.note(`after a pause of ${name}`, await tripe.untilHealthy(60_000));
      }
    },
  },
  postgres: {
    row: "T4",
    sentence: "Postgres stopped (immediate) for up to 2 s every 5 to 10 s, 5 clients charging meanwhile",
    size: 160,
    async run(bench, rounds) {
      const { random, tripe, merchant, note } = bench;
      let isOver = false;
      const lane = async () => {
        while (!isOver) {
          const startMs = systemClock.preciseMs();
          await merchant.insist(merchant.wish());
          note("a charge, its repeats included", systemClock.preciseMs() - startMs);
        }
      };
      const blows = async () => {
        for (let round = 0; round < rounds; round += 1) {
          const downMs = random.next() * 2_000;
          await stopPostgres(tripe, downMs);
          await systemClock.sleep(5_000 + random.next() * 5_000 - downMs);
        }
        isOver = true;
      };
      await Promise.all([blows(), ...Array.from({ length: 5 }, lane)]);
    },
  },
  races: {
    row: "T9",
    sentence: "one key raced a hundred ways over two edges",
    size: 500,
    async run({ tripe, merchant, note }, rounds) {
      const stopEdge = await tripe.startEdge(tripe.port + 11);
      for (let round = 0; round < rounds; round += 1) {
        const startMs = systemClock.preciseMs();
        const wish = merchant.wish();
        await Promise.all(Array.from({ length: 100 }, () => merchant.insist(wish)));
        note("a race", systemClock.preciseMs() - startMs);
      }
      await stopEdge();
    },
  },
  drops: {
    row: "T11",
    sentence: "the client hangs up at a random byte, or after it, and tries again",
    size: 5_000,
    async run({ tripe, merchant, random }, count) {
      await inParallel(countTo(count), 20, async () => {
        const wish = merchant.wish();
        await sendAndHangUp(tripe, wish, random.next());
        await merchant.insist(wish);
      });
    },
  },
  faults: {
    row: "T7",
    sentence: "a bank that goes wrong in every fifth answer",
    size: 20_000,
    // Of many thousands some are not answered four times in a row: the next rung of the ladder is ten minutes.
    finalMaxMs: 1_800_000,
    bankFaults: "lose=5,drop=5,late=3,double=3,reset=2,malformed=1,echo=1,scale=0.01",
    run: ({ merchant }, count) => inParallel(countTo(count), 50, () => merchant.insist(merchant.wish())),
  },
};

/** Deals a blow while charges are in flight, and waits for the answer of each. */
async function underCharges({ merchant }: Bench, blow: () => Promise<void>): Promise<void> {
  const charges = Array.from({ length: IN_FLIGHT }, () => merchant.insist(merchant.wish()));
  // One of them is answered first; the others are on their way, wherever that is.
  await Promise.race(charges);
  await Promise.all([blow(), ...charges]);
}
