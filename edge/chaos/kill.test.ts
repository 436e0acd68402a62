import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../services/_runtime/clock.ts";
import { reservePorts } from "../../services/_runtime/testing/reserve-ports.ts";
import { replaceableNames } from "../../services/_supervisor/replaceable.ts";
import { killAndRecover, pause, sendAndHangUp, stopPostgres } from "./blows.ts";
import { inParallel } from "./lanes.ts";
import { createMerchant, type Wish } from "./merchant.ts";
import { isAlive, signal } from "./processes.ts";
import { prove } from "./proof.ts";
import { createRandom } from "./random.ts";
import { replaceProcesses } from "./replace.ts";
import { startLoad } from "./steady-load.ts";
import { createWholeTripe, type ProcessName, until } from "./whole-tripe.ts";

// One Tripe for the whole file, killed in every way there is: it has to come back from each for the next test to begin.
const tripe = await createWholeTripe(await reservePorts(11));
const edgePort = await reservePorts(1);
const merchant = createMerchant(tripe);
beforeAll(() => tripe.start(), 180_000);
afterAll(() => tripe.remove(), 60_000);

/** Charges in flight at each kill. */
const IN_FLIGHT = 50;

const patient = { timeout: 180_000 };

/** Between two charges of a client: the other core has tests to run too. */
const PACE_MS = 250;

/** Which moments Postgres is stopped at: another number, other moments; the soak's are by chance. */
const SEED = 42;

/** Everything that was measured, printed at the end. */
const measured: string[] = [];
const note = (what: string, ms: number) => measured.push(`${what}: ${ms.toFixed(0)} ms`);
afterAll(() => process.stdout.write(`${measured.join("\n")}\n`));

/** Clients that are still asking: a killed owner costs its charge a lease of 20 s, and the next kill need not wait for that. */
const asking: Promise<unknown>[] = [];

function startCharges(): { wishes: Wish[]; all: Promise<unknown> } {
  const wishes = Array.from({ length: IN_FLIGHT }, () => merchant.wish());
  const all = Promise.all(wishes.map((wish) => merchant.insist(wish)));
  // Whoever gives up is heard of in the last test.
  all.catch(() => undefined);
  asking.push(all);
  return { wishes, all };
}

/** Charges of which one is answered, and the others are on their way, wherever that is. */
async function startAndMeetHalfway(): Promise<void> {
  const { wishes } = startCharges();
  await until(async () => wishes.some(({ statuses }) => statuses.length > 0), 30_000, "a first answer");
}

test("each service and the edge is replaced under charges and reads, of which none fails", patient, async () => {
  const pids = () => Promise.all(replaceableNames.map((name) => tripe.pidOf(name)));
  const former = await pids();
  const load = startLoad(merchant, { chargesPerS: 5, readsPerS: 20 });
  const startMs = systemClock.preciseMs();
  const lines = await replaceProcesses(tripe);
  note("everything replaced, one after the other", systemClock.preciseMs() - startMs);
  await load.end();
  expect(lines).toEqual(replaceableNames.map((name) => `${name} is replaced`));
  expect(load.failures).toEqual([]);
  expect(former.filter(isAlive)).toEqual([]);
  expect(new Set([...former, ...(await pids())]).size).toBe(2 * replaceableNames.length);
  note("the longest charge meanwhile", Math.max(...load.chargesMs));
});

/** Money needs nothing of these: their death is not felt. */
const bystanders: readonly ProcessName[] = ["pdf", "mailer", "webhooks", "scheduler"];

test.each(bystanders)("while %s is dead, charges go on", patient, async (name) => {
  const killed = killAndRecover(tripe, name);
  const { wishes, all } = startCharges();
  await all;
  note(`kill -9 ${name}, until everything serves`, await killed);
  expect(wishes.map(({ statuses }) => statuses)).toEqual(wishes.map(() => [200]));
});

test(
  "one key raced a hundred ways over two edges is one charge and a hundred equal ids, five times over",
  patient,
  async () => {
    const stopEdge = await tripe.startEdge(edgePort);
    try {
      for (let round = 0; round < 5; round += 1) {
        const wish = merchant.wish();
        await Promise.all(Array.from({ length: 100 }, () => merchant.insist(wish)));
        expect(wish.ids).toHaveLength(100);
        expect(new Set(wish.ids).size).toBe(1);
      }
    } finally {
      await stopEdge();
    }
  },
);

test("a hundred clients that hang up anywhere in their request lose nothing", patient, async () => {
  const wishes = Array.from({ length: 100 }, () => merchant.wish());
  await inParallel(wishes, 20, async (wish) => {
    await sendAndHangUp(tripe, wish, wishes.indexOf(wish) / wishes.length);
    await merchant.insist(wish);
  });
  for (const { ids } of wishes) expect(ids).toHaveLength(1);
});

const movers: readonly ProcessName[] = ["reader", "writer", "transactions", "bank", "edge", "sandbox-bank"];

test.each(movers)("kill -9 of %s under charges in flight is recovered from", patient, async (name) => {
  await startAndMeetHalfway();
  note(`kill -9 ${name}, until everything serves`, await killAndRecover(tripe, name));
});

test("a bank that falls silent leaves a charge pending, which ends once the bank is back", patient, async () => {
  // Over no line to the bank a charge is refused at once, since nothing can have happened: the line has to be there.
  const isPaid = async () => (await showCharge(await merchant.insist(merchant.wish()))).includes(PAID);
  await until(isPaid, 30_000, "the bank answers");
  const bank = await tripe.pidOf("sandbox-bank");
  const wish = merchant.wish();
  signal(bank, "SIGSTOP");
  const startMs = systemClock.preciseMs();
  try {
    await merchant.insist(wish);
  } finally {
    signal(bank, "SIGCONT");
  }
  const waitedMs = systemClock.preciseMs() - startMs;
  note("a silent bank's charge, pending", waitedMs);
  expect(wish.statuses).toEqual([200]);
  // 8 s, with a second for a busy machine: the bank was not waited for twice, for the card and for the charge.
  expect(waitedMs).toBeLessThan(9_000);
  const isOver = async () => (await showCharge(wish)).includes(PAID);
  note("a silent bank's charge, resolved after it spoke again", await until(isOver, 60_000, "the charge is paid"));
});

const PAID = '"status":"succeeded"';

/** What Tripe says of a charge now; of one that was refused, nothing. */
async function showCharge({ ids }: Wish): Promise<string> {
  return ids[0] === undefined ? "" : JSON.stringify((await merchant.ask(`/v1/charges/${ids[0]}`)).body);
}

test(
  "half a minute of a Postgres that stops every few seconds, and a paused service, is only ever a 503",
  patient,
  async () => {
    const random = createRandom(SEED);
    const endMs = systemClock.preciseMs() + 30_000;
    const stops: number[] = [];
    const blow = async () => {
      while (systemClock.preciseMs() < endMs) {
        const downMs = random.next() * 2_000;
        await stopPostgres(tripe, downMs);
        stops.push(downMs);
        await systemClock.sleep(5_000 + random.next() * 5_000 - downMs);
      }
    };
    const lane = async () => {
      while (systemClock.preciseMs() < endMs) {
        await merchant.insist(merchant.wish());
        await systemClock.sleep(PACE_MS);
      }
    };
    const before = merchant.wishes.length;
    await Promise.all([blow(), pause(tripe, "transactions", 5_000), ...Array.from({ length: 5 }, lane)]);
    note(`Postgres stopped ${stops.length} times, seed ${SEED}; charges asked for`, merchant.wishes.length - before);
    expect(stops.length).toBeGreaterThanOrEqual(3);
    expect(merchant.faults).toEqual([]);
  },
);

test("kill -9 of everything but Postgres, started again at once, keeps every charge", patient, async () => {
  await startAndMeetHalfway();
  const postgres = await tripe.postgresPid();
  signal(-tripe.supervisor().pid, "SIGKILL");
  note("kill -9 of the whole group, until everything serves", await tripe.start());
  expect(await tripe.postgresPid()).toBe(postgres);
  const acknowledged = merchant.wishes.flatMap(({ ids }) => ids);
  const shown = new Set((await merchant.listCharges()).map(({ id }) => id));
  expect(acknowledged.filter((id) => !shown.has(id))).toEqual([]);
});

test(
  "kill -9 of the supervisor alone leaves nobody on a port, and the next start adopts Postgres",
  patient,
  async () => {
    await startAndMeetHalfway();
    const postgres = await tripe.postgresPid();
    signal(tripe.supervisor().pid, "SIGKILL");
    const isNobodyThere = async () => (await tripe.takenPorts()).length === 0;
    note(
      "kill -9 of the supervisor, until all ports are free",
      await until(isNobodyThere, 15_000, "all ports are free"),
    );
    expect(isAlive(postgres)).toBe(true);
    await tripe.start();
    expect(await tripe.postgresPid()).toBe(postgres);
  },
);

test(
  "after all that every client has its answer, every key is one charge, and the books balance",
  patient,
  async () => {
    await Promise.all(asking);
    const { chargesCount, paidCount, finalMs, problems, findings } = await prove(tripe, merchant);
    note("the last pending charge, final after", finalMs);
    measured.push(`answers: ${merchant.words()}`, `${chargesCount} charges, ${paidCount} of them paid`);
    expect(problems).toEqual([]);
    expect(findings).toEqual([]);
  },
);
