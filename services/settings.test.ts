import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import Stripe from "stripe";
import { expect, onTestFinished, test } from "vitest";
import { startTestingGuard } from "./_database/start-testing-guard.ts";
import { systemClock } from "./_runtime/clock.ts";
import { createEnvironment } from "./_runtime/config.ts";
import { type SettingName, settingEntries } from "./_runtime/config-table.ts";
import { linkCodeCache } from "./_runtime/testing/code-cache.ts";
import { reservePorts } from "./_runtime/testing/reserve-ports.ts";
import { createTestFolder } from "./_runtime/testing/test-folder.ts";
import { openBook } from "./bank/sandbox/book.ts";
import { NO_FAULTS } from "./bank/sandbox/faults.ts";
import { listenSandbox } from "./bank/sandbox/server.ts";
import { statementFile } from "./bank/sandbox/statement.ts";
import { createAuthority } from "./bank/testing/certificates.ts";
import { isTestPassword, testPassword } from "./bank/testing/password.ts";
import { startServer } from "./mailer/testing/mail-server.ts";

const port = await reservePorts(11);
const patient = { timeout: 90_000, interval: 100 };

/** Proved elsewhere, in a Tripe of their own or in a part of one, since they exclude others or need a server beside. */
const elsewhere: Partial<Record<SettingName, string>> = {
  DATABASE_URL: "_supervisor/own-database.test.ts",
  TRIPE_SERVICES_HOST: "_runtime/tls.test.ts",
  TRIPE_TLS_DIR: "_runtime/tls.test.ts",
  TRIPE_ACQUIRER_CA: "bank/connectors/tls.test.ts",
  TRIPE_ACQUIRER_CERT: "bank/connectors/tls.test.ts",
  TRIPE_ACQUIRER_KEY: "bank/connectors/tls.test.ts",
  TRIPE_ACQUIRER_ID: "transactions/foreign-bank.test.ts",
  TRIPE_LIVE_ACQUIRER_ADDRESS: "../edge/live.test.ts",
  TRIPE_LIVE_ACQUIRER_ID: "_runtime/config-acquirer.test.ts",
  TRIPE_LIVE_ACQUIRER_PASSWORD: "_runtime/config-acquirer.test.ts",
  TRIPE_LIVE_ACQUIRER_CA: "_runtime/config-acquirer.test.ts",
  TRIPE_LIVE_ACQUIRER_CERT: "_runtime/config-acquirer.test.ts",
  TRIPE_LIVE_ACQUIRER_KEY: "_runtime/config-acquirer.test.ts",
  TRIPE_BANK_FAULTS: "bank/sandbox/main.test.ts",
  TRIPE_SANDBOX_PORT: "bank/sandbox/main.test.ts",
  TRIPE_BACKUP_PASSPHRASE_FILE: "_backup/backup.test.ts",
  TRIPE_TRUSTED_PROXIES: "../edge/links.test.ts",
  TRIPE_CRASH_AT: "_runtime/crash-points.test.ts",
};

async function startBank() {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-settings-bank-"));
  const book = await openBook({ file: statementFile(dataDir), clock: systemClock });
  const onBroken = (error: unknown) => {
    throw error;
  };
  const bank = await listenSandbox(
    { book, clock: systemClock, nextFault: NO_FAULTS, isPassword: isTestPassword, onBroken },
    { host: "127.0.0.1", port: 0 },
  );
  onTestFinished(() => bank.close());
  return { port: bank.port, statement: () => readFile(statementFile(dataDir), "utf8") };
}

/** A certificate for this machine that only its own authority vouches for. */
async function createCertificate() {
  const folder = await createTestFolder("tripe-settings-tls-");
  const authority = createAuthority("an authority of one's own");
  const { cert, key } = authority.issue("localhost");
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key);
  return { ca: authority.cert, certFile, keyFile };
}

function connectSdk(key: string, ca: string): Stripe {
  const httpAgent = new Agent({ ca, keepAlive: true });
  onTestFinished(() => httpAgent.destroy());
  return new Stripe(key, { host: "localhost", port, protocol: "https", httpAgent });
}

/** What `npm run keys` prints, which finds the rest by the data folder. */
async function runKeys(dataDir: string, key: string): Promise<string> {
  const env = createEnvironment({ TRIPE_DATA_DIR: dataDir, TRIPE_SECRET_KEY: key });
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "../edge/tools/keys.ts")], {
    env,
  });
  return stdout;
}

/** Starts a whole Tripe, and answers what it printed and how it is ended. */
async function startTripe(changed: Readonly<Record<string, string>>, dataDir: string) {
  const guard = startTestingGuard(dataDir);
  onTestFinished(() => guard.end());
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", ".config", "start.mjs"), "--one-process"], {
    env: createEnvironment(changed),
    stdio: ["ignore", "pipe", "inherit"],
  });
  guard.watch(child.pid ?? 0);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
  });
  await expect.poll(() => output, patient).toContain("Ctrl-C ends it");
  expect(output).toContain(`TRIPE_DATA_DIR=${dataDir} npm run audit`);
  expect(output).not.toContain("http://0.0.0.0");
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  return { stop, output };
}

async function checkWebhooks(stripe: Stripe, closedPorts: readonly number[]): Promise<void> {
  const hook = (url: string) => stripe.webhookEndpoints.create({ url, enabled_events: ["*"] });
  expect((await hook("http://127.0.0.1:4242/")).status).toBe("enabled");
  for (const closed of closedPorts) {
    await expect(hook(`http://127.0.0.1:${closed}/`)).rejects.toThrow("must not lead to a port of Tripe itself");
  }
}

test("a Tripe that is set otherwise than by default in every line charges, and each line is carried out", {
  timeout: 240_000,
}, async () => {
  const [bank, mailServer] = [await startBank(), await startServer()];
  onTestFinished(() => mailServer.close());
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-settings-"));
  await linkCodeCache(dataDir);
  const runDir = await mkdtemp(join(tmpdir(), "tripe-run-"));
  const { ca, certFile, keyFile } = await createCertificate();
  const key = "sk_test_settings00000001";
  const changed: Partial<Record<SettingName, string>> = {
    PORT: String(port),
    TRIPE_LISTEN_HOST: "0.0.0.0",
    TRIPE_TLS_CERT: certFile,
    TRIPE_TLS_KEY: keyFile,
    TRIPE_RUN_DIR: runDir,
    TRIPE_DATA_DIR: dataDir,
    TRIPE_LOG_MB: "1",
    TRIPE_SECRET_KEY: key,
    TRIPE_ACCOUNT_NAME: "Ann's Books",
    TRIPE_ACCOUNT_EMAIL: "books@example.com",
    TRIPE_ACCOUNT_ADDRESS: "1 Main St",
    TRIPE_FEE: "1.5%+20",
    SMTP_URL: mailServer.url,
    TRIPE_ACQUIRER_ADDRESS: `tcp://localhost:${bank.port}`,
    TRIPE_ACQUIRER_PASSWORD: testPassword,
    TRIPE_CARD_KEY: Buffer.alloc(32, 5).toString("base64"),
    TRIPE_WEBHOOKS_LOOPBACK: "yes",
    TRIPE_WEBHOOKS_CLOSED_PORTS: "6379",
    TRIPE_PUBLIC_URL: "https://pay.example.com",
    TRIPE_PDF_LINK_DAYS: "7",
    TRIPE_EDGE_ACTIONS: "customers,charges,invoices",
  };
  const proved = [...Object.keys(changed), ...Object.keys(elsewhere)];
  const lines = settingEntries.filter(([, { pattern }]) => pattern === undefined).map(([name]) => name);
  expect(lines.filter((name) => !proved.includes(name))).toEqual([]);
  for (const file of Object.values(elsewhere)) expect(existsSync(join(import.meta.dirname, file)), file).toBe(true);

  const { stop, output } = await startTripe(changed, dataDir);
  expect(output).toContain(`curl --cacert ${certFile} https://localhost:${port}/v1/charges -u ${key}:`);
  expect(await runKeys(dataDir, key)).toContain(`at https://127.0.0.1:${port}   opens`);
  const stripe = connectSdk(key, ca);
  const customer = await stripe.customers.create({ email: "ann@example.com" });
  const charge = await stripe.charges.create({
    amount: 2_000,
    currency: "usd",
    source: "tok_visa",
    receipt_email: "ann@example.com",
    expand: ["balance_transaction"],
  });
  expect(charge).toMatchObject({ paid: true, balance_transaction: { fee: 50, net: 1_950 } });
  expect(await bank.statement()).toContain("2000");
  await expect.poll(() => mailServer.received.length, patient).toBe(1);
  expect(String(mailServer.received[0]?.bytes)).toMatch(/From: .*books@example\.com/);

  await stripe.invoiceItems.create({ customer: customer.id, amount: 1_000, currency: "usd" });
  const draft = await stripe.invoices.create({
    customer: customer.id,
    collection_method: "send_invoice",
    days_until_due: 3,
  });
  const { due_date: due, invoice_pdf: link } = await stripe.invoices.finalizeInvoice(draft.id);
  expect(link).toMatch(/^https:\/\/pay\.example\.com\/invoices\//);
  const end = Number.parseInt(new URL(String(link)).pathname.split("/").at(-2)?.split(".")[1] ?? "", 36);
  expect(end - Number(due)).toBe(7 * 86_400);

  await checkWebhooks(stripe, [6_379, port, port + 10, bank.port]);
  await expect(stripe.refunds.create({ charge: charge.id })).rejects.toThrow("Unrecognized request URL");
  expect((await readdir(runDir)).some((name) => name.startsWith("reader."))).toBe(true);
  expect((await readdir(join(dataDir, "secrets"))).includes("card.key")).toBe(false);
  expect(await stop()).toBe(0);
});
