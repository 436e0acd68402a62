import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import Stripe from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectDatabase, type Database } from "../../services/_database/connect.ts";
import { findRoleUrl } from "../../services/_database/role-url.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import { reservePorts } from "../../services/_runtime/testing/reserve-ports.ts";
import { startServer, type TestServer } from "../../services/mailer/testing/mail-server.ts";
import { isAlive, signal } from "./processes.ts";
import { createWholeTripe, type ProcessName, SECRET_KEY, until } from "./whole-tripe.ts";

// One Tripe of real processes for the whole file, and a real mail server.
const port = await reservePorts(11);
/** The invoice whose mail is taken without a word: the server has it, and whoever sent it does not know. */
let unansweredNumber: string | undefined;
let mailServer: TestServer = await startServer({
  get dot(): "silence" | undefined {
    const last = mailServer.received.at(-1)?.bytes;
    return unansweredNumber !== undefined && last?.includes(unansweredNumber) ? "silence" : undefined;
  },
});
const mailPort = Number(new URL(mailServer.url).port);
const tripe = await createWholeTripe(port, {
  SMTP_URL: mailServer.url,
  TRIPE_ACCOUNT_EMAIL: "books@example.com",
});
const stripe = new Stripe(SECRET_KEY, { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 0 });
let database: Database;

beforeAll(async () => {
  await tripe.start();
  const url = await findRoleUrl({ databaseUrl: undefined, dataDir: tripe.dataDir, port }, "owner");
  database = connectDatabase({ url, role: "owner", connectionsMax: 2, log: silentLog });
}, 180_000);
afterAll(async () => {
  await database.close();
  await tripe.remove();
  await mailServer.close();
}, 60_000);

const patient = { timeout: 120_000 };

/** A call from the edge waits 4 s at least (send-invoice.ts): what holds it still has to be there well before. */
const STEP_MAX_MS = 3_500;

/** The edge is back after some 2 s, a sweep comes every second; both on a busy machine. */
const END_MAX_MS = 40_000;

/** Every mail that any server of this file was sent. */
const received: { readonly messageId: string; readonly bytes: Buffer }[] = [];

function collectMails(): void {
  for (const { bytes } of mailServer.received.splice(0)) {
    received.push({ bytes, messageId: /^Message-ID: *(\S+)/im.exec(bytes.toString("latin1"))?.[1] ?? "" });
  }
}

/** The Message-IDs of the mails about an invoice, in the order in which they came. */
function mailsOf({ number }: Stripe.Invoice): string[] {
  collectMails();
  return received.filter(({ bytes }) => bytes.includes(String(number))).map(({ messageId }) => messageId);
}

async function createOpen(): Promise<Stripe.Invoice> {
  const { id: customer } = await stripe.customers.create({ email: "ann@example.com", name: "Ann" });
  await stripe.invoiceItems.create({ customer, amount: 2_500, currency: "usd", description: "Work" });
  const terms = { collection_method: "send_invoice", days_until_due: 30, auto_advance: false } as const;
  const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: "include", ...terms });
  return stripe.invoices.finalizeInvoice(draft.id);
}

/** Asks once to have an invoice mailed, always under the one key. The SDK would repeat what was cut, and the next edge answer it. */
async function send({ id }: Stripe.Invoice, expand: readonly string[] = []): Promise<"answered" | "replayed" | "cut"> {
  const body = expand.map((path) => `expand[]=${path}`).join("&");
  const type = "application/x-www-form-urlencoded";
  const headers = { authorization: `Bearer ${SECRET_KEY}`, "idempotency-key": `send-${id}`, "content-type": type };
  const asked = request(`${tripe.url}/v1/invoices/${id}/send`, { method: "POST", headers, agent: false }).end(body);
  try {
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    await once(answer.resume(), "end");
    expect(answer.statusCode).toBe(200);
    return answer.headers["idempotent-replayed"] === "true" ? "replayed" : "answered";
  } catch (error) {
    if (error instanceof Error && "code" in error) return "cut";
    throw error;
  }
}

const MAILS = {
  name: "mails_of_invoice",
  text: "select state <> 'due' as is_over from mail where invoice_id = $1",
};

const MAKE_DUE = {
  name: "make_mails_due",
  text: "update mail set due_time = statement_timestamp() where state = 'due' returning 1",
};

async function isBegun({ id }: Stripe.Invoice): Promise<boolean> {
  return (await database.query(MAILS, [id])).length > 0;
}

async function isOver({ id }: Stripe.Invoice): Promise<boolean> {
  const rows = await database.query<{ is_over: boolean }>(MAILS, [id]);
  return rows.length > 0 && rows.every(({ is_over }) => is_over);
}

/** What is in the outbox is due after 30 s and more; here it is due now, and the scheduler's own sweep takes it. */
async function sweep(): Promise<void> {
  await database.query(MAKE_DUE, []);
  const none = { name: "due_mails", text: "select 1 from mail where state = 'due'" };
  await until(async () => (await database.query(none, [])).length === 0, END_MAX_MS, "nothing is left to be sent");
}

/** How many calls of the edge's a service has answered so far; it says so in its log within a fifth of a second. */
async function countAnswered(service: ProcessName, rpc: string): Promise<number> {
  const text = await readFile(join(tripe.dataDir, "logs", `${service}.log`), "utf8");
  return text.split("\n").filter((line) => line.includes(`"rpc":"${rpc}"`) && line.includes('"caller":"edge"')).length;
}

/** Does something and waits until a service has answered one more call of the edge's. */
async function untilAnswered(service: ProcessName, rpc: string, act: () => void): Promise<void> {
  const before = await countAnswered(service, rpc);
  act();
  await until(async () => (await countAnswered(service, rpc)) > before, STEP_MAX_MS, `${service} answers ${rpc}`);
}

/** Holds services still, in the order in which they are asked for; all go on when the work has ended, however. */
async function holding(work: (hold: (name: ProcessName) => Promise<void>, release: () => void) => Promise<void>) {
  const held: number[] = [];
  const release = () => {
    for (const pid of held.splice(0)) signal(pid, "SIGCONT");
  };
  const hold = async (name: ProcessName) => {
    const pid = await tripe.pidOf(name);
    held.push(pid);
    signal(pid, "SIGSTOP");
  };
  try {
    await work(hold, release);
  } finally {
    release();
  }
}

/** Kills the edge for good as far as its requests go; the supervisor starts another. */
async function killEdge(): Promise<void> {
  const pid = await tripe.pidOf("edge");
  signal(pid, "SIGKILL");
  await until(async () => !isAlive(pid), END_MAX_MS, "the edge is gone");
}

test("undisturbed, an invoice is mailed once, however often one key asks", patient, async () => {
  const invoice = await createOpen();
  expect([await send(invoice), await send(invoice)]).toEqual(["answered", "replayed"]);
  expect(mailsOf(invoice)).toHaveLength(1);
});

test(
  "the edge killed after its reads, after BeginSending, and after RenderInvoice: each is one mail in the end",
  patient,
  async () => {
    const [read, begun, printed] = [await createOpen(), await createOpen(), await createOpen()];
    const answers: Promise<string>[] = [];
    await holding(async (hold) => {
      await hold("mailer");
      await untilAnswered("pdf", "RenderInvoice", () => answers.push(send(printed)));
      await hold("pdf");
      answers.push(send(begun));
      await until(() => isBegun(begun), STEP_MAX_MS, "a sending is begun");
      await hold("writer");
      await untilAnswered("reader", "GetInvoice", () => answers.push(send(read)));
      await killEdge();
    });
    expect(await Promise.all(answers)).toEqual(["cut", "cut", "cut"]);
    expect([await isOver(begun), await isOver(printed)]).toEqual([false, false]);
    await tripe.untilHealthy(END_MAX_MS);
    // Nothing need have been begun for it: only the client's repeating is sure to bring it about.
    await send(read);
    await sweep();
    expect(await Promise.all([read, begun, printed].map((invoice) => send(invoice)))).toEqual(
      Array(3).fill("replayed"),
    );
    expect([mailsOf(read).length, mailsOf(begun).length]).toEqual([1, 1]);
    expectOneLogicalMail(printed);
  },
);

test(
  "the edge killed once the mail server has the mail, before MarkSent: one mail by its Message-ID",
  patient,
  async () => {
    const [unanswered, mailed] = [await createOpen(), await createOpen()];
    unansweredNumber = unanswered.number ?? "none";
    const answers = await cutAfterPrinting([unanswered, mailed], {
      holdNext: "writer",
      after: ["mailer", "SendInvoice"],
    });
    expect(answers).toEqual(["cut", "cut"]);
    expect(mailsOf(unanswered)).toHaveLength(1);
    unansweredNumber = undefined;
    await tripe.untilHealthy(END_MAX_MS);
    await sweep();
    expect([await send(unanswered), await send(mailed)]).toEqual(["replayed", "replayed"]);
    // Nobody could know that the server had it: it is mailed again, and by its Message-ID it is the same mail.
    const ids = mailsOf(unanswered);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    expectOneLogicalMail(mailed);
  },
);

test("the edge killed after MarkSent, before its answer: one mail, and the same key is told so", patient, async () => {
  const invoice = await createOpen();
  // What is to be shown whole is read last of all.
  const steps = { holdNext: "reader", after: ["writer", "MarkSent"], expand: ["customer"] } as const;
  expect(await cutAfterPrinting([invoice], steps)).toEqual(["cut"]);
  expect(await isOver(invoice)).toBe(true);
  await tripe.untilHealthy(END_MAX_MS);
  await sweep();
  expect(await send(invoice, ["customer"])).toBe("replayed");
  expect(mailsOf(invoice)).toHaveLength(1);
});

interface Steps {
  /** The service that the next step needs. */
  readonly holdNext: ProcessName;
  /** The step that is still done, for one of the invoices. */
  readonly after: readonly [ProcessName, string];
  readonly expand?: readonly string[];
}

/** Begins sendings, holds the service of a later step still, lets them go on to there, and kills the edge. */
async function cutAfterPrinting(
  invoices: readonly Stripe.Invoice[],
  { holdNext, after, expand = [] }: Steps,
): Promise<string[]> {
  const answers: Promise<string>[] = [];
  await holding(async (holdPdf, releasePdf) => {
    await holdPdf("pdf");
    for (const invoice of invoices) {
      answers.push(send(invoice, expand));
      await until(() => isBegun(invoice), STEP_MAX_MS, "a sending is begun");
    }
    await holding(async (hold) => {
      await hold(holdNext);
      await untilAnswered(...after, releasePdf);
      await killEdge();
    });
  });
  return Promise.all(answers);
}

/**
 * What was asked of a service may be done after the asker's death, and then again by the sweep. By its Message-ID it is the
 * same mail, which is what a mailbox goes by.
 */
function expectOneLogicalMail(invoice: Stripe.Invoice): void {
  const ids = mailsOf(invoice);
  expect(new Set(ids).size).toBe(1);
  expect(ids.length).toBeLessThanOrEqual(2);
}

test(
  "a mail server that is away for 10 s costs no mail: 200 at once, and one mail when it is back",
  patient,
  async () => {
    const invoice = await createOpen();
    await mailServer.close();
    expect(await send(invoice)).toBe("answered");
    // A sweep each second, none of which finds a server; the tries in between are what is put off.
    for (let second = 0; second < 10; second += 1) {
      await database.query(MAKE_DUE, []);
      await systemClock.sleep(1_000);
    }
    expect([mailsOf(invoice), await isOver(invoice)]).toEqual([[], false]);
    mailServer = await startServer({ port: mailPort });
    await sweep();
    expect(await send(invoice)).toBe("replayed");
    expect(mailsOf(invoice)).toHaveLength(1);
  },
);

test("after all that the books balance, and every sending is over", patient, async () => {
  expect(await tripe.audit()).toEqual([]);
});
