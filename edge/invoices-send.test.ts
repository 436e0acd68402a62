import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import type Stripe from "stripe";
import { afterAll, expect, test, vi } from "vitest";
import { connectDatabase } from "../services/_database/connect.ts";
import type { ObservedCall } from "../services/_runtime/client.ts";
import { systemClock } from "../services/_runtime/clock.ts";
import { silentLog } from "../services/_runtime/log.ts";
import type { ServiceName } from "../services/_runtime/topology.ts";
import { type Answer, startServer } from "../services/mailer/testing/mail-server.ts";
import { readPages } from "../services/pdf/testing/read-pdf.ts";
import { createMails } from "../services/scheduler/mails.ts";
import { startBench } from "./testing/tripe.ts";

// A printing thread, real sockets and services that come and go: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let answer: Answer | undefined;
const mailServer = await startServer({ recipient: () => answer });
let observe: (call: ObservedCall) => void = () => {};
const bench = await startBench({ observe: (call) => observe(call) });
const stripe = await bench.stripe();
const smtp = await startBench({ smtpUrl: mailServer.url });
const smtpStripe = await smtp.stripe();
const { tripe } = bench;
const database = connectDatabase({
  url: tripe.database.urls.owner,
  role: "owner",
  connectionsMax: 2,
  log: silentLog,
});
afterAll(async () => {
  await database.close();
  await mailServer.close();
});

async function createOpen(of: Stripe, currency = "usd", amounts = [2_500, 1_250]): Promise<Stripe.Invoice> {
  const { id: customer } = await of.customers.create({ email: "ann@example.com", name: "Ann É", source: "tok_visa" });
  for (const [index, amount] of amounts.entries()) {
    await of.invoiceItems.create({ customer, amount, currency, description: `Work, part ${index + 1}` });
  }
  const terms = { collection_method: "send_invoice", days_until_due: 30, auto_advance: false } as const;
  const draft = await of.invoices.create({ customer, currency, pending_invoice_items_behavior: "include", ...terms });
  return of.invoices.finalizeInvoice(draft.id);
}

/** Every mail about an invoice in the folder: its name is its Message-ID. */
async function mailsOf({ number }: Stripe.Invoice): Promise<string[]> {
  const folder = join(tripe.config.dataDir, "mail");
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return names.filter((_, index) => texts[index]?.includes(number ?? "none"));
}

/** What the scheduler does 30 s later: its sweep, once what is in the outbox is due. */
async function sweep(): Promise<number> {
  await database.query(
    { name: "make_due", text: "update mail set due_time = statement_timestamp() where state = 'due'" },
    [],
  );
  const workers = createMails({ clients: tripe.clientsOf("scheduler"), clock: systemClock, log: silentLog });
  const count = await workers.fill();
  await workers.stop();
  return count;
}

test("an invoice is mailed with its PDF attached, as a real mail server gets it", async () => {
  const invoice = await createOpen(smtpStripe);
  // The first page waits for its printing thread, on a busy machine for longer than a sending does.
  await fetch(String(invoice.invoice_pdf));
  const sent = await smtpStripe.invoices.sendInvoice(invoice.id);
  expect(sent).toMatchObject({ id: invoice.id, status: "open" });
  const [received, ...others] = mailServer.received.filter(({ bytes }) => bytes.includes(String(invoice.number)));
  expect(others).toEqual([]);
  expect(received?.recipients).toEqual(["ann@example.com"]);
  const mail = await simpleParser(received?.bytes ?? "");
  expect(mail.subject).toContain(String(invoice.number));
  const [attachment] = mail.attachments;
  expect(attachment?.contentType).toBe("application/pdf");
  const text = (await readPages(attachment?.content ?? Buffer.alloc(0))).join("\n");
  for (const words of [String(invoice.number), "Ann É", "Work, part 1", "Work, part 2", "$37.50"]) {
    expect(text).toContain(words);
  }
});

test("a mail that the server will never take is given up, and one it postpones is left to the outbox; both are 200", async () => {
  const invoices = [await createOpen(smtpStripe), await createOpen(smtpStripe)] as const;
  answer = "550 no such mailbox";
  expect(await smtpStripe.invoices.sendInvoice(invoices[0].id)).toMatchObject({ status: "open" });
  answer = "451 try later";
  expect(await smtpStripe.invoices.sendInvoice(invoices[1].id)).toMatchObject({ status: "open" });
  answer = undefined;
  const owner = connectDatabase({
    url: smtp.tripe.database.urls.owner,
    role: "owner",
    connectionsMax: 2,
    log: silentLog,
  });
  const find = {
    name: "fates",
    text: "select state from mail where invoice_id = $1",
  };
  const fates = await Promise.all(invoices.map(({ id }) => owner.query(find, [id])));
  await owner.close();
  expect(fates).toEqual([[{ state: "given_up" }], [{ state: "due" }]]);
});

test.each([
  ["usd", [2_500, 1_250], ["$25.00", "$12.50", "$37.50"]],
  ["eur", [2_500, 1_250], ["€25.00", "€12.50", "€37.50"]],
  ["jpy", [2_500, 1_250], ["¥2,500", "¥1,250", "¥3,750"]],
  ["kwd", [2_500, 1_250], ["2.500", "1.250", "3.750"]],
])(
  "the link of an invoice in %s opens its PDF without a key: number, lines and total",
  async (currency, amounts, words) => {
    const invoice = await createOpen(stripe, currency, amounts);
    const opened = await fetch(String(invoice.invoice_pdf));
    const pdf = Buffer.from(await opened.arrayBuffer());
    expect([opened.status, opened.headers.get("content-type")]).toEqual([200, "application/pdf"]);
    expect(opened.headers.get("content-disposition")).toBe(`inline; filename="Invoice-${invoice.number}.pdf"`);
    expect(opened.headers.get("etag")).toBe(`"${createHash("sha256").update(pdf).digest("hex")}"`);
    const text = (await readPages(pdf)).join("\n");
    for (const word of [String(invoice.number), "Work, part 1", "Work, part 2", ...words]) expect(text).toContain(word);
    const withKey = await bench.ask({ method: "GET", url: `/v1/invoices/${invoice.id}/pdf` });
    expect([withKey.status, withKey.headers["etag"]]).toEqual([200, opened.headers.get("etag")]);
  },
);

test("a link that was changed anywhere is a 404, and a draft has none", async () => {
  const [one, other] = [await createOpen(stripe), await createOpen(stripe)];
  const link = String(one.invoice_pdf);
  const signature = link.split("/").at(-2) ?? "";
  const wrong = [
    link.replace(one.id, other.id),
    link.replace(
      signature,
      signature.replace(/^./, (first) => (first === "A" ? "B" : "A")),
    ),
    link.replace(signature, signature.slice(0, -1)),
    link.replace(signature, "x"),
    link.replace(tripe.accountId, tripe.liveAccountId),
  ];
  for (const url of wrong) expect((await fetch(url)).status).toBe(404);
  expect((await bench.ask({ method: "GET", url: `/v1/invoices/${one.id}/pdf`, key: null })).status).toBe(401);
  const { id: customer } = await stripe.customers.create();
  const draft = await stripe.invoices.create({ customer });
  expect(draft.invoice_pdf).toBeNull();
  expect((await bench.ask({ method: "GET", url: `/v1/invoices/${draft.id}/pdf` })).status).toBe(400);
});

test("a draft that is sent is finalized first, and one for nobody's address is refused before that", async () => {
  const { id: customer } = await stripe.customers.create({ name: "Nobody" });
  await stripe.invoiceItems.create({ customer, amount: 100, currency: "usd" });
  const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: "include" });
  await expect(stripe.invoices.sendInvoice(draft.id)).rejects.toMatchObject({ statusCode: 400, code: "missing" });
  expect((await stripe.invoices.retrieve(draft.id)).status).toBe("draft");
  await stripe.customers.update(customer, { email: "now@example.com" });
  const sent = await stripe.invoices.sendInvoice(draft.id);
  expect(sent).toMatchObject({ status: "open", customer_email: "now@example.com" });
  expect((await mailsOf(sent)).length).toBe(1);
});

test("the same key again is the same mail, another key another", async () => {
  const invoice = await createOpen(stripe);
  const key = { idempotencyKey: `send-${invoice.id}` };
  await stripe.invoices.sendInvoice(invoice.id, {}, key);
  const again = await stripe.invoices.sendInvoice(invoice.id, {}, key);
  expect(again.lastResponse.headers["idempotent-replayed"]).toBe("true");
  expect((await mailsOf(invoice)).length).toBe(1);
  await stripe.invoices.sendInvoice(invoice.id);
  expect((await mailsOf(invoice)).length).toBe(2);
});

// The service that is gone for good as soon as the step before it has ended: what the edge's death between two steps leaves.
const deaths: readonly [after: string, gone: ServiceName, mails: number][] = [
  ["BeginSending", "pdf", 0],
  ["RenderInvoice", "mailer", 0],
  ["SendInvoice", "writer", 1],
];

test.each(deaths)("cut off after %s, the sweep sends the one mail later", async (after, gone, mails) => {
  const invoice = await createOpen(stripe);
  let stopping: Promise<void> | undefined;
  observe = ({ caller, rpc }) => {
    if (caller === "edge" && rpc === after) stopping ??= tripe.stopService(gone);
  };
  const answered = await stripe.invoices.sendInvoice(invoice.id, {}, { maxNetworkRetries: 0 });
  observe = () => {};
  expect(answered).toMatchObject({ id: invoice.id, status: "open" });
  expect(stopping).toBeDefined();
  await stopping;
  expect((await mailsOf(invoice)).length).toBe(mails);
  await tripe.startService(gone);
  expect(await sweep()).toBe(1);
  expect((await mailsOf(invoice)).length).toBe(1);
  expect(await sweep()).toBe(0);
});

test("cut off before BeginSending nothing was begun: the client hears so, and the same key sends one mail", async () => {
  const invoice = await createOpen(stripe);
  const key = { idempotencyKey: `cut-${invoice.id}` };
  await tripe.stopService("writer");
  const failing = stripe.invoices.sendInvoice(invoice.id, {}, { ...key, maxNetworkRetries: 0 });
  await expect(failing).rejects.toMatchObject({ statusCode: 503 });
  await tripe.startService("writer");
  await stripe.invoices.sendInvoice(invoice.id, {}, key);
  expect((await mailsOf(invoice)).length).toBe(1);
  expect(await sweep()).toBe(0);
});
