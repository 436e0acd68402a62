import { afterAll, expect, test } from "vitest";
import { createMemoryLog } from "../../services/_runtime/testing/memory-log.ts";
import { reservePorts } from "../../services/_runtime/testing/reserve-ports.ts";
import { sharedTlsPlace } from "../../services/_runtime/testing/tls-place.ts";
import { startTestTripe } from "../../services/testing.ts";
import { createMerchant, type Wish } from "./merchant.ts";
import { countCalls, makeOtherMachine, nearSettings, type OtherMachine, startFarTripe } from "./other-machine.ts";

const CHARGES = 40;

const machine = await makeOtherMachine();
afterAll(() => machine?.remove());

/** A Tripe here, without an edge; an edge and a second writer there. */
async function setup(other: OtherMachine) {
  const [{ folder: tlsDir }, port] = [await sharedTlsPlace(), await reservePorts(11)];
  const log = createMemoryLog();
  const settings = { PORT: String(port), ...nearSettings({ machine: other, tlsDir, port }) };
  const tripe = await startTestTripe({ wiring: "grpc", log, settings });
  const { dataDir } = tripe.config;
  const far = await startFarTripe({ machine: other, tlsDir, port, dataDir, writerUrl: tripe.database.urls.writer });
  afterAll(far.remove);
  const merchant = createMerchant({ urls: () => [far.url] }, tripe.secretKey);
  const hereCount = () => log.rpcs.filter(({ service, rpc }) => service === "writer" && rpc === "BeginCharge").length;
  const thereCount = async () => (await countCalls(far.writerLog)).get("BeginCharge") ?? 0;
  const charge = async (): Promise<Wish> => merchant.insist(merchant.wish());
  return { far, merchant, charge, counts: async () => [hereCount(), await thereCount()] as const };
}

const sum = (numbers: readonly number[]) => numbers.reduce((left, right) => left + right);

test.skipIf(machine === undefined)(
  "an edge and a second writer on another machine share the charges with the first, and it has them all when they end (as root, with network namespaces)",
  { timeout: 120_000 },
  async () => {
    if (machine === undefined) throw new Error("skipped without");
    const { far, merchant, charge, counts } = await setup(machine);
    await expect
      .poll(() => charge().then(({ statuses }) => statuses.at(-1)), { timeout: 60_000, interval: 100 })
      .toBe(200);
    await expect.poll(async () => (await charge()) && (await counts())[1], { timeout: 30_000 }).toBeGreaterThan(0);
    // A writer's log is a moment behind its answers.
    const isLogged = async () => sum(await counts()) >= merchant.wishes.length;
    await expect.poll(isLogged, { timeout: 5_000 }).toBe(true);
    const before = await counts();
    const wishes = await Promise.all(Array.from({ length: CHARGES }, charge));
    expect(wishes.every(({ statuses }) => statuses.join() === "200")).toBe(true);
    const sharesOf = async () => (await counts()).map((count, at) => count - (before[at] ?? 0));
    await expect.poll(async () => sum(await sharesOf()), { timeout: 5_000 }).toBe(CHARGES);
    for (const share of await sharesOf()) expect(share).toBeGreaterThanOrEqual(CHARGES / 4);
    const [here] = await counts();
    const stopping = far.stopWriter();
    const rest = await Promise.all(Array.from({ length: CHARGES }, charge));
    await stopping;
    expect(rest.every(({ statuses }) => statuses.at(-1) === 200)).toBe(true);
    await charge();
    expect((await counts())[0]).toBeGreaterThan(here);
  },
);
