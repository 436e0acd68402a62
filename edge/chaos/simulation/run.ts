import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createId, replaceIdClock } from "../../../services/_runtime/ids.ts";
import { replaceRandomness } from "../../../services/_runtime/random.ts";
import { createMemoryFolder } from "../../../services/_runtime/testing/memory-folder.ts";
import { createRandom, type Random } from "../random.ts";
import { openSimulatedBank } from "./bank.ts";
import type { SimulatedDatabase } from "./database.ts";
import { createFate, createLife, type Fate, type Life } from "./fate.ts";
import { judge } from "./judge.ts";
import { createPayer, type MerchantOptions, trade, type Wish } from "./merchant.ts";
import { createWeather, type Weather } from "./weather.ts";
import { createWorld, type World } from "./world.ts";

/** How one run ended. */
export interface Run {
  readonly seed: number;
  /** Everything that happened, one line each. */
  readonly trace: readonly string[];
  /** Every contradiction, in words: none when all is well. */
  readonly problems: readonly string[];
  readonly wishes: readonly Wish[];
}

/** A Thursday, far from any change of the clocks. */
const START_MS = Date.UTC(2026, 0, 15, 12);

/** Trouble lasts up to so long, in simulated time: the ladder's first rungs, and every lease several times over. */
const TROUBLE_MAX_MS = 180_000;

const MERCHANTS_MIN = 3;
const MERCHANTS_MAX = 6;

/** Runs the whole system by one seed: the same seed, the same trace. Ids and chance are the simulation's until it is over. */
export async function simulate(database: SimulatedDatabase, seed: number): Promise<Run> {
  const random = createRandom(seed);
  let world: World | undefined;
  const fate = createFate(random, START_MS, () => world?.strike());
  const root = createLife("the merchants");
  const putBack = [replaceRandomness(bytesFrom(createRandom(seed ^ 0x5eed))), replaceIdClock(fate.clockOf(root))];
  const folder = await createMemoryFolder("tripe-simulation-");
  const wishes: Wish[] = [];
  try {
    const accountId = createId("acct_");
    await database.begin(fate, accountId);
    const weather = createWeather(random);
    const file = join(folder, "journal");
    const bank = await openSimulatedBank(fate, weather, file);
    const made = createWorld({ fate, weather, database, bank });
    world = made;
    const live = async () => {
      await tradeAll({ accountId, fate, weather, world: made, life: root, wishes });
      await untilQuiet({ fate, database, life: root, isBankQuiet: () => bank.underWay() === 0 });
    };
    const problems = await fate.run(live()).then(
      () => judge(database, wishes, file),
      (error: unknown) => [String(error instanceof Error ? error.stack : error)],
    );
    await bank.close();
    return { seed, trace: fate.trace, problems, wishes };
  } finally {
    for (const back of putBack) back();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Market {
  readonly accountId: string;
  readonly fate: Fate;
  readonly weather: Weather;
  readonly world: World;
  readonly life: Life;
  readonly wishes: Wish[];
}

async function tradeAll({ accountId, fate, weather, world, life, wishes }: Market): Promise<void> {
  const { random } = fate;
  const clock = fate.clockOf(life);
  const clients = world.clientsOf("edge", life);
  const options: MerchantOptions = { accountId, clients, clock, random, wishes, isOver: weather.isClear };
  const count = MERCHANTS_MIN + Math.floor(random.next() * (MERCHANTS_MAX - MERCHANTS_MIN + 1));
  const payers = await Promise.all(Array.from({ length: count }, () => createPayer(options)));
  weather.begin();
  clock.setTimer(() => weather.clear(), random.next() * TROUBLE_MAX_MS);
  await Promise.all(payers.map((payer) => trade(options, payer)));
  weather.clear();
}

/** Between two looks whether all is over; the ladder's rungs are up to an hour. */
const LOOK_EVERY_MS = 60_000;

async function untilQuiet(from: {
  fate: Fate;
  database: SimulatedDatabase;
  life: Life;
  isBankQuiet: () => boolean;
}): Promise<void> {
  const { fate, database, life, isBankQuiet } = from;
  const pending = () => database.rows("select from tripe.attempt where state = 'pending'");
  while ((await fate.turn(life, "looks", pending)).length > 0 || !isBankQuiet()) {
    await fate.clockOf(life).sleep(LOOK_EVERY_MS);
  }
}

function bytesFrom(random: Random): (bytes: Buffer) => void {
  return (bytes) => {
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(Math.floor(random.next() * 2 ** 32), at);
  };
}
