import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createClient } from "../services/_database/connect-client.ts";
import { type Clock, systemClock } from "../services/_runtime/clock.ts";
import { edgeActions } from "../services/_runtime/config.ts";
import { createId } from "../services/_runtime/ids.ts";
import { startBench, type TestEdge } from "./testing/tripe.ts";

// Where links lead and whose word for the host counts: TRIPE_PUBLIC_URL, TRIPE_TRUSTED_PROXIES, TRIPE_PDF_LINK_DAYS.
const bench = await startBench();
const publicUrl = "https://pay.example.com";
const set = bench.edgeOf(edgeActions, { publicUrl });
const behind = bench.edgeOf(edgeActions, { trustedProxies: ["10.0.0.0/8"] });
const short = bench.edgeOf(edgeActions, { pdfLinkDays: 1 });
const invoiceId = await createInvoice();
const liveKey = "sk_live_0123456789abcdefghijklmn";

async function createInvoice(key?: string, edge: TestEdge = bench): Promise<string> {
  const post = async (url: string, payload: object = {}) => {
    const { body } = await edge.ask({ method: "POST", url, payload, ...(key === undefined ? {} : { key }) });
    return String(body["id"]);
  };
  const customer = await post("/v1/customers", { name: "Ann" });
  await post("/v1/invoiceitems", { customer, amount: 1_000, currency: "usd" });
  const invoice = await post("/v1/invoices", { customer, collection_method: "send_invoice", days_until_due: 14 });
  return post(`/v1/invoices/${invoice}/finalize`);
}

async function linkAt(edge: TestEdge, headers: Record<string, string> = {}, remoteAddress = "127.0.0.1") {
  const { body } = await edge.ask({ method: "GET", url: `/v1/invoices/${invoiceId}`, headers, remoteAddress });
  return new URL(String(body["invoice_pdf"]));
}

/** The machine's clock, so many days ahead. */
const laterBy = (days: number): Clock => ({ ...systemClock, nowMs: () => systemClock.nowMs() + days * 86_400_000 });

/** Asks for a link's PDF at an edge, whatever host the link names. */
const open = (edge: TestEdge, { pathname }: URL) => edge.ask({ method: "GET", url: pathname, key: null });

test("a public URL makes every link, whatever host the request names", async () => {
  const link = await linkAt(set, { host: "evil.example" });
  expect(link.origin).toBe(publicUrl);
  expect((await open(set, link)).status).toBe(200);
  const { body } = await set.ask({ method: "GET", url: "/v1/events?type=invoice.finalized" });
  expect(JSON.stringify(body)).toContain(`"invoice_pdf":"${publicUrl}/invoices/`);
});

test("without one, the request's host is the link's for a sandbox account, and a live account has no link", async () => {
  expect((await linkAt(bench, { host: "tripe.internal:8080" })).origin).toBe("http://tripe.internal:8080");
  const owner = createClient({ url: bench.tripe.database.urls.owner, name: "links_test" });
  await owner.connect();
  await owner.query(
    `insert into tripe.api_key (account_id, api_key_id, key_sha256, kind, last4, create_time)
      values ($1, $2, $3, 'secret', 'klmn', tripe.business_now($1))`,
    [bench.tripe.liveAccountId, createId("key_"), createHash("sha256").update(liveKey).digest()],
  );
  await owner.end();
  const id = await createInvoice(liveKey);
  const linkOf = async (edge: TestEdge) =>
    (await edge.ask({ method: "GET", url: `/v1/invoices/${id}`, key: liveKey })).body["invoice_pdf"];
  expect(await linkOf(bench)).toBeNull();
  expect(await linkOf(set)).toMatch(/^https:\/\/pay\.example\.com\/invoices\/acct_/);
});

test("the headers of a trusted proxy count, and those of anyone else do not", async () => {
  const headers = {
    host: "10.0.0.9:8080",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "pay.example.com",
  };
  expect((await linkAt(behind, headers, "10.0.0.1")).origin).toBe("https://pay.example.com");
  expect((await linkAt(behind, headers, "192.0.2.1")).origin).toBe("http://10.0.0.9:8080");
  expect((await linkAt(bench, headers, "10.0.0.1")).origin).toBe("http://10.0.0.9:8080");
});

test("a link that has ended is a 410 with the envelope, and how long it lives is a setting", async () => {
  const [long, brief] = [await linkAt(bench), await linkAt(short)];
  const secondsOf = ({ pathname }: URL) => Number.parseInt(pathname.split("/").at(-2)?.split(".")[1] ?? "", 36);
  expect(secondsOf(long) - secondsOf(brief)).toBe(29 * 86_400);
  const { status, body } = await open(bench.edgeOf(edgeActions, { clock: laterBy(45) }), long);
  expect([status, body.error?.["type"]]).toEqual([410, "invalid_request_error"]);
  expect((await open(bench.edgeOf(edgeActions, { clock: laterBy(43) }), long)).status).toBe(200);
});
