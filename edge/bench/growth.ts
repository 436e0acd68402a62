import { statementFile } from "../../services/bank/sandbox/statement.ts";
import { describeRun, loadWith, warmUp } from "./closed-load.ts";
import { createDueSubscriptions } from "./due-subscriptions.ts";
import { type Figure, figureOf } from "./figure.ts";
import { createCharges } from "./get.ts";
import { getOf, type Template } from "./load-plan.ts";
import { copyBankLines } from "./many-bank-lines.ts";
import { copyRows, type Model } from "./many-rows.ts";
import type { Measure, MeasureContext } from "./measure.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { CUSTOMERS } from "./pgbench-schema.ts";
import { chargesOf, createMerchant, type Merchant } from "./stored-customers.ts";

/** The smaller of the two data sets. */
const FEW = 10_000;
/** A customer for each ten charges. */
const CUSTOMER_SHARE = 0.1;
const RENEWALS = 400;
const RENEWED_MAX_MS = 120_000;
const GOAL = 1.2;

/** Microseconds of one operation, by its name. */
type Times = ReadonlyMap<string, number>;

/** P7: what each operation takes when there is a hundred times as much to look through. */
export const growth: Measure = {
  row: "P7",
  sentence:
    "time of an operation at 1,000,000 charges and 100,000 customers ÷ at 10,000 and 1,000, tables analysed and not",
  wirings: ["one"],
  run: (context, wiring) => context.onTripe(wiring, (tripe) => measure(context, tripe)),
};

async function measure(context: MeasureContext, tripe: MeasuredTripe): Promise<Figure[]> {
  const merchant = await createMerchant(tripe.port, CUSTOMERS);
  const [path = ""] = await createCharges(tripe, merchant);
  const model = await findModel(tripe, path.slice(path.lastIndexOf("/") + 1));
  await setAutovacuum(tripe, "off");
  const few = await takeAt(context, tripe, { merchant, model, from: 1, to: FEW });
  const many = await takeAt(context, tripe, { merchant, model, from: FEW + 1, to: context.sizes.charges });
  await setAutovacuum(tripe, "on");
  const { wiring } = tripe;
  return (["not analysed", "analysed"] as const).flatMap((state) =>
    [...many[state]].map(([operation, value]) => {
      const taken = {
        measure: "P7",
        part: `${operation}, ${state}`,
        wiring,
        value,
        goal: GOAL,
        bound: "most",
      } as const;
      return figureOf({ ...taken, yardstick: few[state].get(operation) ?? Number.NaN });
    }),
  );
}

/** Off, so that it analyses nothing while the tables are to be measured unanalysed. */
function setAutovacuum(tripe: MeasuredTripe, value: "off" | "on"): Promise<void> {
  return tripe.asOwner(async (client) => {
    await client.query(`alter system set autovacuum = ${value}`);
    await client.query("select pg_reload_conf()");
  });
}

interface Filled {
  readonly merchant: Merchant;
  readonly model: Model & { readonly bankRef: string };
  readonly from: number;
  readonly to: number;
}

/** Fills the tables up to a number of charges, and takes the times before and after ANALYZE. */
async function takeAt(context: MeasureContext, tripe: MeasuredTripe, { merchant, model, from, to }: Filled) {
  const customers = { from: Math.ceil(from * CUSTOMER_SHARE), to: Math.ceil(to * CUSTOMER_SHARE) };
  await copyRows(await tripe.roleUrl("owner"), model, customers, { from, to });
  await tripe.stop();
  await copyBankLines(statementFile(tripe.dataDir), model.bankRef, { from, to });
  context.note(
    `${tripe.wiring}: ${to} charges; started on them within ${((await tripe.start()) / 1_000).toFixed(1)} s`,
  );
  const unanalysed = await takeTimes(context, tripe, merchant);
  await tripe.asOwner((client) => client.query("analyze"));
  return { "not analysed": unanalysed, analysed: await takeTimes(context, tripe, merchant) };
}

async function takeTimes(context: MeasureContext, tripe: MeasuredTripe, merchant: Merchant): Promise<Times> {
  const paths = await createCharges(tripe, merchant);
  const loads: Readonly<Record<string, readonly Template[]>> = {
    get: paths.map((path) => ({ text: getOf(path, merchant.key), weight: 1 })),
    list: [{ text: getOf("/v1/charges?limit=10", merchant.key), weight: 1 }],
    charge: chargesOf(merchant),
  };
  const sizes = {
    ...context.sizes,
    seconds: Math.ceil(context.sizes.seconds / 2),
    warmup: Math.ceil(context.sizes.warmup / 3),
  };
  const times = new Map<string, number>();
  for (const [operation, templates] of Object.entries(loads)) {
    await warmUp({ ...context, sizes }, tripe, templates);
    const run = await loadWith({ ...context, sizes }, tripe, templates);
    times.set(operation, 1e6 / run.perSecond);
    context.note(`${tripe.wiring}: ${operation}: ${describeRun(run)}`);
  }
  const due = await createDueSubscriptions(tripe, merchant, RENEWALS);
  await due.untilDue();
  times.set("renewal", ((await due.untilPaid(RENEWED_MAX_MS)) * 1_000) / RENEWALS);
  return times;
}

function findModel(tripe: MeasuredTripe, chargeId: string) {
  return tripe.asOwner(async (client) => {
    const { rows } = await client.query<Model & { bankRef: string }>(
      `select c.account_id as "accountId", c.customer_id as "customerId", c.charge_id as "chargeId", t.bank_ref as "bankRef"
        from tripe.charge c join tripe.attempt t using (account_id, charge_id) where c.charge_id = $1`,
      [chargeId],
    );
    const [row] = rows;
    if (row === undefined) throw new Error(`there is no charge ${chargeId}`);
    return row;
  });
}
