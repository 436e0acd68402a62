import { join } from "node:path";
import { findRoleUrl } from "../../services/_database/role-url.ts";
import { sharedTlsPlace } from "../../services/_runtime/testing/tls-place.ts";
import type { Found } from "./exercises.ts";
import { countTo, inParallel } from "./lanes.ts";
import { createMerchant } from "./merchant.ts";
import { countCalls, makeOtherMachine, nearSettings, type OtherMachine, startFarTripe } from "./other-machine.ts";
import { prove } from "./proof.ts";
import { createWholeTripe, until } from "./whole-tripe.ts";

/** Charges at once. */
const WIDTH = 20;

/** Each writer's part of the charges, at least; half is to be expected of two. */
const SHARE_MIN = 0.25;

/** The soak's Tripes, one after the other (exercises.ts). */
export interface WritersOptions {
  readonly port: number;
  readonly count: number;
}

/**
 * Charges through an edge on another machine (a network namespace), over mutual TLS, while transactions and edge share their
 * calls over a writer here and one there; then proves the books, and counts in the writers' logs who began the charges.
 */
export async function chargeOverTwoWriters(options: WritersOptions): Promise<Found> {
  const machine = await makeOtherMachine();
  if (machine === undefined) return { figures: [], problems: ["this takes Linux, root and network namespaces"] };
  try {
    return await chargeFrom(machine, options);
  } finally {
    await machine.remove();
  }
}

async function chargeFrom(machine: OtherMachine, { port, count }: WritersOptions): Promise<Found> {
  const { folder: tlsDir } = await sharedTlsPlace();
  const tripe = await createWholeTripe(port, nearSettings({ machine, tlsDir, port }));
  try {
    await tripe.start();
    const { dataDir } = tripe;
    const writerUrl = await findRoleUrl({ databaseUrl: undefined, dataDir, port }, "writer");
    const far = await startFarTripe({ machine, tlsDir, port, dataDir, writerUrl });
    try {
      const merchant = createMerchant({ urls: () => [far.url] });
      const logs = [join(dataDir, "logs", "writer.log"), far.writerLog];
      const countsOf = async (rpc: string) => (await Promise.all(logs.map(countCalls))).map((all) => all.get(rpc) ?? 0);
      const charge = () => merchant.insist(merchant.wish());
      const isShared = async () => (await charge()) && (await countsOf("BeginCharge")).every((one) => one > 0);
      await until(isShared, 60_000, "both writers are called");
      await inParallel(countTo(count), WIDTH, charge);
      const { problems, findings, chargesCount, paidCount } = await prove(tripe, merchant);
      const [begun, settled] = [await countsOf("BeginCharge"), await countsOf("SettleCharge")];
      const least = Math.min(...begun, ...settled) / chargesCount;
      return {
        figures: [
          `${chargesCount} charges, ${paidCount} paid; answers: ${merchant.words()}`,
          `begun by the writer here ${begun[0]}, there ${begun[1]}; settled here ${settled[0]}, there ${settled[1]}`,
        ],
        problems: [
          ...problems,
          ...findings.map((finding) => JSON.stringify(finding)),
          ...(least < SHARE_MIN ? [`a writer had ${(100 * least).toFixed(0)} % of the charges`] : []),
        ],
      };
    } finally {
      await far.remove();
    }
  } finally {
    await tripe.remove();
  }
}
