import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AskEdge, createAskEdge, describeCertificateProblem } from "../../services/_runtime/ask-edge.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { readRunningConfig } from "../../services/_runtime/config.ts";
import { formatMoney } from "../../services/_runtime/money.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";

endQuietlyWithReader();

/** What the demo reads of an answer; everything else is left as it came. */
interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  readonly ms: number;
  /** The internal calls, in the order in which they started. */
  readonly calls: readonly string[];
}

type Ask = (method: "GET" | "POST", path: string, params?: Readonly<Record<string, string>>) => Promise<Answer>;

const config = readRunningConfig();
const { url } = config;
let stepNumber = 0;

try {
  const key = await readSandboxKey();
  await walk(createAsk(createAskEdge({ url, certFile: config.edgeTls?.certFile }), key));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** All five actions: customers, charges (one of them declined), returns, then subscriptions and invoices. */
async function walk(ask: Ask): Promise<void> {
  print(`Tripe at ${url}, as a merchant's program sees it\n`);
  const customer = await step("A customer is created with a test card.", ask, "POST", "/v1/customers", {
    name: "Ann Example",
    email: "ann@example.com",
    source: "tok_visa",
  });
  const customerId = textOf(customer.body["id"]);
  say(`${customerId}: ${textOf(customer.body["name"])}, ${textOf(customer.body["email"])}`);

  const charge = await step("The customer is charged 20.00 USD.", ask, "POST", "/v1/charges", {
    amount: "2000",
    currency: "usd",
    customer: customerId,
    description: "The demo",
  });
  const chargeId = textOf(charge.body["id"]);
  say(`${chargeId}: ${moneyOf(charge.body, "amount")} ${textOf(charge.body["status"])}`);

  const refund = await step("5.00 USD of it are returned.", ask, "POST", "/v1/returns", {
    charge: chargeId,
    amount: "500",
  });
  say(`${textOf(refund.body["id"])}: ${moneyOf(refund.body, "amount")} ${textOf(refund.body["status"])}`);

  const shown = await step("The charge is read again, with its booking.", ask, "GET", `/v1/charges/${chargeId}`, {
    "expand[]": "balance_transaction",
  });
  const booking = recordOf(shown.body["balance_transaction"]);
  say(`returned ${moneyOf(shown.body, "amount_refunded")} of ${moneyOf(shown.body, "amount")}`);
  say(`booked ${moneyOf(booking, "amount")}, fee ${moneyOf(booking, "fee")}, net ${moneyOf(booking, "net")}`);

  const declined = await step("A card that its bank declines is charged.", ask, "POST", "/v1/charges", {
    amount: "2000",
    currency: "usd",
    source: "tok_chargeDeclined",
  });
  const error = recordOf(declined.body["error"]);
  say(`refused with ${textOf(error["code"])} (${textOf(error["decline_code"])}): ${textOf(error["message"])}`);
  say(`kept as ${textOf(error["charge"])}`);
  if (declined.status !== 402) throw new Error("a declined card was not answered with 402");
  await subscribe(ask, customerId);
  await invoice(ask, customerId);
  print("\nAll done. `npm run audit` proves the books; `npm run trace -- <request>` shows a request's calls.");
}

/** A product is sold by the month: its first period is paid in the same request. */
async function subscribe(ask: Ask, customerId: string): Promise<void> {
  const product = await step("A product is made, with a price a month.", ask, "POST", "/v1/products", {
    name: "Gold plan",
    "default_price_data[currency]": "usd",
    "default_price_data[unit_amount]": "1000",
    "default_price_data[recurring][interval]": "month",
  });
  const priceId = textOf(product.body["default_price"]);
  say(`${textOf(product.body["id"])}: ${textOf(product.body["name"])}, price ${priceId}`);
  const subscription = await step("The customer subscribes to it, twice.", ask, "POST", "/v1/subscriptions", {
    customer: customerId,
    "items[0][price]": priceId,
    "items[0][quantity]": "2",
    "expand[]": "latest_invoice",
  });
  const first = recordOf(subscription.body["latest_invoice"]);
  say(`${textOf(subscription.body["id"])}: ${textOf(subscription.body["status"])}`);
  say(`${textOf(first["number"])}: ${moneyOf(first, "amount_paid")} ${textOf(first["status"])}`);
}

/** An invoice of two items: drafted, finalized, mailed with its PDF, and paid. */
async function invoice(ask: Ask, customerId: string): Promise<void> {
  for (const [description, amount] of Object.entries({ "Design work": "25000", "Travel costs": "4950" })) {
    const item = { customer: customerId, currency: "usd", description, amount };
    await step(`An invoice item: ${description}.`, ask, "POST", "/v1/invoiceitems", item);
  }
  const draft = await step("A draft takes both.", ask, "POST", "/v1/invoices", {
    customer: customerId,
    collection_method: "send_invoice",
    days_until_due: "30",
    pending_invoice_items_behavior: "include",
  });
  const path = `/v1/invoices/${textOf(draft.body["id"])}`;
  const open = await step("It is finalized: it gets its number.", ask, "POST", `${path}/finalize`);
  say(`${textOf(open.body["number"])}: ${moneyOf(open.body, "amount_due")} ${textOf(open.body["status"])}`);
  say(`PDF: ${textOf(open.body["invoice_pdf"])}`);
  await step("It is mailed with its PDF.", ask, "POST", `${path}/send`);
  say(
    `mail: ${(await findMail(textOf(open.body["number"]))) ?? "not in the data dir: a mail server has it, or the outbox"}`,
  );
  const paid = await step("It is paid by the customer's card.", ask, "POST", `${path}/pay`);
  say(`${textOf(paid.body["number"])}: ${moneyOf(paid.body, "amount_paid")} ${textOf(paid.body["status"])}`);
}

/** The mail in the data dir that names an invoice's number; undefined without one. */
async function findMail(number: string): Promise<string | undefined> {
  const folder = join(config.dataDir, "mail");
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".eml"));
  for (const path of names.map((name) => join(folder, name))) {
    if ((await readFile(path, "utf8")).includes(number)) return path;
  }
  return undefined;
}

async function step(title: string, ask: Ask, ...asked: Parameters<Ask>): Promise<Answer> {
  stepNumber += 1;
  print(`${stepNumber}. ${title}`);
  const answer = await ask(...asked);
  const [method, path] = asked;
  say(`${method} ${path} → ${answer.status} in ${answer.ms.toFixed(0)} ms (${answer.requestId})`);
  if (answer.calls.length > 0) say(`inside: ${answer.calls.join(" → ")}`);
  if (answer.status >= 400 && answer.status !== 402) throw new Error(textOf(recordOf(answer.body["error"])["message"]));
  return answer;
}

function createAsk(ask: AskEdge, key: string): Ask {
  return async (method, path, params = {}) => {
    const form = new URLSearchParams(params).toString();
    const startMs = systemClock.preciseMs();
    const answer = await ask({
      method,
      path: method === "GET" ? `${path}?${form}` : path,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/x-www-form-urlencoded" },
      ...(method === "GET" ? {} : { body: form }),
    }).catch((cause: unknown) => {
      const problem = describeCertificateProblem(cause);
      throw new Error(`no Tripe answers at ${url}: ${problem ?? "start one with npm start"}`, { cause });
    });
    return {
      status: answer.status,
      body: recordOf(JSON.parse(answer.text)),
      requestId: textOf(answer.headers["request-id"]),
      ms: systemClock.preciseMs() - startMs,
      calls: textOf(answer.headers["server-timing"]).match(/[a-z]+\.[A-Za-z]+/g) ?? [],
    };
  };
}

async function readSandboxKey(): Promise<string> {
  const given = config.secretKey?.reveal();
  if (given !== undefined) return given;
  const path = join(config.dataDir, "secrets", "api.key");
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept === undefined) throw new Error(`there is no sandbox key in ${path}; start Tripe once with npm start`);
  return kept.trim();
}

function moneyOf(of: Readonly<Record<string, unknown>>, field: string): string {
  return formatMoney({ amountMinor: BigInt(Number(of[field])), currencyCode: textOf(of["currency"]).toUpperCase() });
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function say(words: string): void {
  print(`     ${words}`);
}

function print(words: string): void {
  process.stdout.write(`${words}\n`);
}
