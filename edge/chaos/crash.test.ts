import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, inject, test } from "vitest";
import { runAudit } from "../../services/_audit/audit.ts";
import { createClient } from "../../services/_database/connect-client.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { formatHostPort } from "../../services/_runtime/host-port.ts";
import { createId } from "../../services/_runtime/ids.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import { readStatement, type StatementLine } from "../../services/bank/sandbox/statement.ts";
import { testPassword } from "../../services/bank/testing/password.ts";
import { setupBilling } from "../../services/scheduler/testing/billing.ts";
import { createSteps } from "../../services/transactions/testing.ts";
import { startBench } from "../testing/tripe.ts";
import { bundleDriver } from "./crash-bundle.ts";
import type { SweepName, Work } from "./crash-order.ts";
import { type Place, recover, runDriver } from "./crash-sweep.ts";
import { move, prepareSweeps } from "./crash-work.ts";

const driver = await bundleDriver();
afterAll(driver.remove);
// Databases of their own, so that processes can die at once without one cleaning up after the other.
const [money, billing, mailing] = [await startScene(), await startScene(), await startScene()];

// After the scenes, and so before their databases are gone.
/** Some sixty processes in five rows, each about a second on a busy machine. */
const patient = { timeout: 1_200_000 };

const soakSize = inject("soakSize");

async function startScene() {
  const bench = await startBench();
  const { tripe } = bench;
  const { urls } = tripe.database;
  const owner = createClient({ url: urls.owner, name: "tripe_crash_test" });
  // The database is dropped at the end, whoever is still connected.
  owner.on("error", () => undefined);
  await owner.connect();
  const rows = async <Row>(text: string, ...values: unknown[]) => (await owner.query(text, values)).rows as Row[];
  const clients = tripe.clientsOf("scheduler");
  const sweep = async (...names: SweepName[]) => (await prepareSweeps(names, clients))();
  const { dataDir, acquirer } = tripe.config;
  const place: Place = {
    dataDir,
    acquirerAddress: formatHostPort(acquirer),
    acquirerPassword: testPassword,
    urls,
    cacheDir: driver.folder,
    program: driver.program,
  };
  const make = async (path: string, form: Record<string, string> = {}) => {
    const headers = { "idempotency-key": createId("key_"), "content-type": "application/x-www-form-urlencoded" };
    const payload = new URLSearchParams(form).toString();
    const { status, body } = await bench.ask({ method: "POST", url: path, headers, payload });
    if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`);
    return String(body["id"]);
  };
  return { bench, tripe, owner, rows, sweep, place, make };
}

type Scene = Awaited<ReturnType<typeof startScene>>;

/**
 * A bank that does not answer in time, on a busy machine, leads another and shorter way: what came of it is looked at all
 * the same, and the point is tried again.
 */
const TRIES_MAX = 5;

/** Kills the work at each of its moments, one process a moment; `prepare` makes the work new, and says what to do and check after the death. */
async function killEverywhere(
  scene: Scene,
  prepare: () => Promise<{ work: Work; heal: (point: string) => Promise<void> }>,
): Promise<string[]> {
  const live = async () => {
    const { work, heal } = await prepare();
    const { words } = await runDriver(scene.place, work, 0);
    await heal("no crash at all");
    return words.split("\n");
  };
  const [one, other] = [await live(), await live()];
  const names = one.length < other.length ? other : one;
  for (const nth of soakSize > 0 ? names.keys() : momentsOf(names)) {
    let isKilled = false;
    for (let tries = 0; tries < TRIES_MAX && !isKilled; tries += 1) {
      const { work, heal } = await prepare();
      const death = await runDriver(scene.place, work, nth + 1);
      isKilled = death.isKilled;
      await heal(isKilled ? death.words : `no death at point ${nth + 1}`);
    }
    expect(isKilled, `nobody died at point ${nth + 1} of ${names.join(", ")}`).toBe(true);
  }
  expect(await findingsOf(scene)).toEqual([]);
  return names;
}

/**
 * The points before which the world outside the process has changed: a statement, or a call that leaves the process, has
 * ended there. Whoever dies at another point leaves the world as the point before it did; so does, up to its commit, whoever
 * dies within a transaction, of which the moment before the commit stands for all. A death costs a second: the soak dies at
 * every point, `npm test` at these.
 */
function momentsOf(names: readonly string[]): number[] {
  let isInTransaction = false;
  return [...names.keys()].filter((nth) => {
    const name = names[nth] ?? "";
    if (name === "sql commit before") isInTransaction = false;
    const isFirst = nth === 0 || name === "sql commit before";
    const hasEnded = name.endsWith(" after") && (name.startsWith("sql ") || names[nth - 1] === beginOf(name));
    const isMoment = isFirst || (hasEnded && !isInTransaction);
    if (name === "sql begin after") isInTransaction = true;
    return isMoment;
  });
}

const beginOf = (name: string) => name.replace(/after$/, "before");

async function findingsOf({ tripe }: Scene) {
  const { database, statementFile: file, config } = tripe;
  const statement = readStatement(file);
  const options = { databaseUrl: database.urls.audit, statement, dataDir: config.dataDir };
  return runAudit({ ...options, clock: systemClock, log: silentLog });
}

async function effectsOf({ tripe, rows }: Scene, chargeId: string): Promise<StatementLine[]> {
  const attempts = await rows<{ bank_ref: string }>("select bank_ref from attempt where charge_id = $1", chargeId);
  const refs = new Set(attempts.map(({ bank_ref }) => bank_ref));
  const lines: StatementLine[] = [];
  for await (const line of readStatement(tripe.statementFile)) if (refs.has(line.bankRef)) lines.push(line);
  return lines;
}

const isNothingPending = (scene: Scene) => async () =>
  (await scene.rows("select from attempt where state = 'pending'")).length === 0;

/** A request whose process dies; then what is due is resolved, and the client asks again, twice, under its key. */
function requested(scene: Scene, work: Request, check: (id: string) => Promise<void>) {
  const clients = scene.tripe.clientsOf("edge");
  const heal = async (point: string) => {
    await recover(scene.owner, () => scene.sweep("attempts"), isNothingPending(scene));
    const answers = [await move(work, clients), await move(work, clients)];
    expect(answers, point).toEqual(answers.map(() => ({ id: answers[0]?.id, state: SUCCEEDED })));
    await check(answers[0]?.id ?? "");
  };
  return { work, heal };
}

type Request = Exclude<Work, { kind: "sweeps" }>;

/** The same number for charges and for returns. */
const SUCCEEDED = 2;

let lastAmount = 1_000;
const asked = (scene: Scene, amountMinor = String(++lastAmount)) => ({
  accountId: scene.tripe.accountId,
  requestId: createId("key_"),
  amountMinor,
});

test.concurrent("a charge survives the death of its process at every moment", patient, async () => {
  const payer = await createSteps(money.tripe).createPayer();
  const points = await killEverywhere(money, async () => {
    const work: Request = { kind: "charge", ...payer, ...asked(money) };
    return requested(money, work, async (id) => {
      const made = await money.rows("select charge_id from charge where amount_minor = $1", work.amountMinor);
      expect(made).toEqual([{ charge_id: id }]);
      expect(await effectsOf(money, id)).toMatchObject([{ kind: "purchase", amountMinor: BigInt(work.amountMinor) }]);
    });
  });
  for (const point of chargePoints) expect(points).toContain(point);
});

/** The moments that matter, said here so that a point that vanishes is missed. */
const chargePoints = [
  "sql begin_charge before",
  "sql begin_charge after",
  "bank.Submit before",
  "bank.Submit after",
  "sql settle_charge before",
  "sql settle_charge after",
  "transactions.CreateCharge after",
];

test.concurrent("a capture survives the death of its process at every moment", patient, async () => {
  const steps = createSteps(money.tripe);
  const payer = await steps.createPayer();
  const points = await killEverywhere(money, async () => {
    const asking = steps.chargeRequest(payer, BigInt(++lastAmount));
    const { charge } = await steps.charge({ ...asking, charge: { ...asking.charge, isHeld: true } });
    const { chargeId } = charge;
    return requested(money, { kind: "capture", chargeId, ...asked(money, "700") }, async () => {
      const captured = "select captured_minor from charge where charge_id = $1";
      expect(await money.rows(captured, chargeId)).toEqual([{ captured_minor: 700n }]);
      const effects = await effectsOf(money, chargeId);
      expect(effects.map(({ kind, amountMinor }) => [kind, amountMinor])).toEqual([["capture", 700n]]);
    });
  });
  expect(points).toContain("sql settle_capture after");
});

test.concurrent("a return survives the death of its process at every moment", patient, async () => {
  const steps = createSteps(money.tripe);
  const payer = await steps.createPayer();
  const points = await killEverywhere(money, async () => {
    const { charge } = await steps.charge(steps.chargeRequest(payer, BigInt(++lastAmount)));
    const { chargeId } = charge;
    return requested(money, { kind: "return", chargeId, ...asked(money, "400") }, async (id) => {
      expect(await money.rows("select return_id from charge_return where charge_id = $1", chargeId)).toEqual([
        { return_id: id },
      ]);
      const effects = await effectsOf(money, chargeId);
      expect(effects.map(({ kind, amountMinor }) => [kind, amountMinor]).slice(1)).toEqual([["refund", 400n]]);
    });
  });
  expect(points).toContain("sql settle_return after");
});

test.concurrent("a renewal survives the death of its process at every moment", patient, async () => {
  const books = await setupBilling(billing.tripe);
  try {
    const points = await killEverywhere(billing, async () => {
      const customerId = await books.createCustomer();
      const anchor = new Date(Math.trunc(systemClock.nowMs() / 1_000) * 1_000 - 40 * 86_400_000);
      const id = await books.createSubscription({ customerId, anchor });
      const work: Work = { kind: "sweeps", names: ["renewals", "collections"] };
      const heal = async (point: string) => {
        const isPaid = async () => (await books.invoices(id)).every(({ paidMinor }) => paidMinor > 0n);
        const isOver = async () => (await books.invoices(id)).length > 0 && (await isPaid());
        await recover(billing.owner, () => billing.sweep("attempts", "renewals", "collections"), isOver);
        const charges = await billing.rows<{ charge_id: string }>(
          "select c.charge_id from charge c join invoice n using (account_id, invoice_id) where n.subscription_id = $1",
          id,
        );
        expect(charges, point).toHaveLength(1);
        expect(await effectsOf(billing, charges[0]?.charge_id ?? ""), point).toHaveLength(1);
        expect(await books.subscription(id)).toMatchObject({ periodIndex: 1 });
      };
      return { work, heal };
    });
    expect(points).toContain("writer.RenewSubscription before");
    expect(points).toContain("bank.Submit after");
  } finally {
    await books.close();
  }
});

test.concurrent("a delivery survives the death of its process at every moment", patient, async () => {
  const customer = await mailing.make("/v1/customers", { source: "tok_visa", email: "ann@example.com" });
  const mailed = await killEverywhere(mailing, async () => {
    await mailing.make("/v1/invoiceitems", { customer, amount: "2500", currency: "usd" });
    const terms = { collection_method: "send_invoice", days_until_due: "30", auto_advance: "true" };
    const invoice = await mailing.make("/v1/invoices", {
      customer,
      pending_invoice_items_behavior: "include",
      ...terms,
    });
    await mailing.make(`/v1/invoices/${invoice}/finalize`);
    const before = await mails();
    const heal = async (point: string) => {
      const sent = "select from mail where invoice_id = $1 and state = 'sent'";
      await recover(
        mailing.owner,
        () => mailing.sweep("mails"),
        async () => (await mailing.rows(sent, invoice)).length === 1,
      );
      expect((await mails()) - before, point).toBe(1);
    };
    return { work: { kind: "sweeps", names: ["mails"] }, heal };
  });
  expect(mailed).toContain("mailer.SendInvoice after");
  await dispatchEverywhere(customer);
});

async function mails(): Promise<number> {
  return (await readdir(join(mailing.tripe.config.dataDir, "mail")).catch(() => [])).length;
}

async function dispatchEverywhere(customer: string): Promise<void> {
  // What this file has caused so far is no part of the question.
  await mailing.sweep("events");
  const dispatched = await killEverywhere(mailing, async () => {
    const form = { amount: "3000", currency: "usd", customer, receipt_email: "ann@example.com" };
    const charge = await mailing.make("/v1/charges", form);
    const heal = async (point: string) => {
      const left = "select from event where dispatch_time is null";
      await recover(
        mailing.owner,
        () => mailing.sweep("events"),
        async () => (await mailing.rows(left)).length === 0,
      );
      const due = await mailing.rows(
        "select from mail m join event e on e.account_id = m.account_id and e.event_id = m.object_id where e.object_id = $1",
        charge,
      );
      expect(due, point).toHaveLength(1);
    };
    return { work: { kind: "sweeps", names: ["events"] }, heal };
  });
  expect(dispatched).toContain("writer.DispatchEvents before");
}
