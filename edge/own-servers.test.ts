import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { InvoiceState } from "../gen/tripe/billing/v1/invoice_pb.ts";
import { Sweep } from "../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { runAudit } from "../services/_audit/audit.ts";
import { seed } from "../services/_database/seed.ts";
import { type SystemServer, startSystemPostgres, systemMajor } from "../services/_database/testing/system-postgres.ts";
import type { TestDatabase } from "../services/_database/testing.ts";
import { systemClock } from "../services/_runtime/clock.ts";
import { readConfig } from "../services/_runtime/config.ts";
import { silentLog } from "../services/_runtime/log.ts";
import { createMemoryFolder } from "../services/_runtime/testing/memory-folder.ts";
import { openDatabase } from "../services/_supervisor/database.ts";
import { readStatement } from "../services/bank/sandbox/statement.ts";
import { setupBilling, startTestScheduler } from "../services/scheduler/testing/billing.ts";
import { setupWebhooks, startSink, urlOf, verify } from "../services/scheduler/testing/webhooks.ts";
import { type Bench, startBench } from "./testing/tripe.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const isHere = systemMajor !== undefined;
const here = isHere ? await setup() : undefined;
const name = `Postgres ${systemMajor ?? "of the system's own"}`;

/** Two Tripes on one server, each with a role, a database in a language's locale, and a data folder of its own. */
async function setup() {
  const dataDir = await createMemoryFolder("tripe-own-servers-");
  afterAll(() => rm(dataDir, { recursive: true, force: true }));
  const server = await startSystemPostgres();
  const [first, second] = [await startShop(server, dataDir, "first"), await startShop(server, dataDir, "second")];
  const billing = await setupBilling(first.bench.tripe);
  afterAll(() => billing.close());
  return { first, second, billing, webhooks: await setupWebhooks(first.bench.tripe), sink: await startSink(200) };
}

/** What an administrator makes for a Tripe, and a Tripe on it. */
async function startShop(server: SystemServer, dataDir: string, shop: string) {
  await server.asAdmin(`create role ${shop} login createrole password '${shop}'`);
  const locale = "template template0 locale_provider icu icu_locale 'en-US'";
  await server.asAdmin(`create database ${shop} owner ${shop} ${locale}`);
  const url = server.urlOf(shop, shop);
  const config = readConfig({ DATABASE_URL: url, TRIPE_DATA_DIR: join(dataDir, shop) });
  const open = () => openDatabase({ config, log: silentLog, seed });
  const { urls } = await open();
  const owner = `${url}&options=-c%20search_path%3Dtripe,public`;
  const database: TestDatabase = { name: shop, urls: { ...urls, owner }, drop: async () => undefined };
  return { open, urls, bench: await startBench({ database }) };
}

function found() {
  if (here === undefined) throw new Error("skipped where the system has no Postgres");
  return here;
}

async function charge({ ask }: Bench) {
  const payload = { amount: 2000, currency: "usd", source: "tok_visa" };
  return (await ask({ method: "POST", url: "/v1/charges", payload })).body;
}

async function audit({ tripe }: Bench) {
  return runAudit({
    databaseUrl: tripe.database.urls.audit,
    statement: readStatement(tripe.statementFile),
    dataDir: tripe.config.dataDir,
    clock: systemClock,
    log: silentLog,
    onChecked: () => undefined,
  });
}

test.skipIf(!isHere)(`two Tripes on one ${name}: both charge, one starts anew, and both charge on`, async () => {
  const { first, second } = found();
  for (const { bench } of [first, second]) expect(await charge(bench)).toMatchObject({ status: "succeeded" });
  expect((await first.open()).urls).toEqual(first.urls);
  for (const service of ["reader", "writer"] as const) {
    await first.bench.tripe.stopService(service);
    await first.bench.tripe.startService(service);
  }
  for (const { bench } of [first, second, first]) expect(await charge(bench)).toMatchObject({ status: "succeeded" });
});

test.skipIf(!isHere)(`a subscription on ${name} renews, its events are delivered, and the books balance`, async () => {
  const { first, second, billing, webhooks, sink } = found();
  const { tripe } = first.bench;
  const endpoint = await webhooks.createEndpoint(urlOf(sink.port), { eventTypes: ["invoice.paid"] });
  const customerId = await billing.createCustomer();
  const anchor = new Date(systemClock.nowMs() - 40 * 86_400_000);
  const id = await billing.createSubscription({ customerId, anchor });
  const scheduler = startTestScheduler(tripe);
  await scheduler.run(Sweep.RENEWALS);
  await scheduler.run(Sweep.COLLECTIONS);
  await scheduler.stop();
  expect((await billing.invoices(id)).map(({ state }) => state)).toEqual([InvoiceState.PAID]);
  const delivering = webhooks.start();
  await delivering.drain();
  await delivering.stop();
  expect(sink.received.map((request) => verify(request, endpoint.secret).type)).toContain("invoice.paid");
  for (const { bench } of [first, second]) expect(await audit(bench)).toEqual([]);
});
