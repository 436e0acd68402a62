import { afterAll, expect, test } from "vitest";
import { createClient } from "../services/_database/connect-client.ts";
import { logStatements } from "../services/_database/testing/statement-log.ts";
import { startBench } from "./testing/tripe.ts";

// What each of the five actions costs with one in flight, by counts that are the same on every machine. A number that falls is
// a gain to write down here; one that grows needs a reason. BEGIN, COMMIT and the key checks of Postgres are not counted.

const calls: string[] = [];
const bench = await startBench({ observe: ({ service, rpc }) => calls.push(`${service}.${rpc}`) });
const owner = createClient({ url: bench.tripe.database.urls.owner, name: "test" });
await owner.connect();
afterAll(() => owner.end());

interface Counts {
  /** Each internal call, by its name. */
  readonly rpcs: readonly string[];
  /** By the roles of reader and writer. */
  readonly statements: { readonly reader: number; readonly writer: number };
  readonly commits: number;
}

let made = 0;

async function post(path: string, payload: object): Promise<Record<string, unknown>> {
  made += 1;
  const headers = { "idempotency-key": `counted-${made}` };
  const { status, body } = await bench.ask({ method: "POST", url: `/v1/${path}`, payload, headers });
  if (status !== 200) throw new Error(`${path} is answered with ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function count(act: () => Promise<unknown>): Promise<Counts> {
  await owner.query("select pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database()");
  calls.length = 0;
  const log = logStatements();
  await act().finally(log.stop);
  const { rows } = await owner.query<{ role: string; count: number }>(
    `select substring(rolname from '^tripe_(reader|writer)_') as role, sum(calls)::int as count
      from pg_stat_statements join pg_roles r on r.oid = userid join pg_database d on d.oid = dbid
      where d.datname = current_database() and rolname ~ '^tripe_(reader|writer)_'
        and query not ilike '%for key share of x%' and query !~* '^\\s*(begin|commit|rollback)\\M'
      group by 1`,
  );
  const statementsOf = (role: string) => rows.find((row) => row.role === role)?.count ?? 0;
  const commits = log.sent.filter(({ isCommit }) => isCommit);
  // The API key is read once in 5 s, by one statement, whatever is asked.
  const ofAction = calls.filter((call) => call !== "reader.GetApiKey");
  expect(commits.every(({ role }) => role === "tripe_writer")).toBe(true);
  return {
    rpcs: ofAction.toSorted(),
    statements: { reader: statementsOf("reader") - (calls.length - ofAction.length), writer: statementsOf("writer") },
    commits: commits.length,
  };
}

const buyer = { email: "ann@example.com", source: "tok_visa" };
const { id: customer } = await post("customers", buyer);
const recurring = { interval: "month" };
const gold = { currency: "usd", unit_amount: 1_000, recurring, product_data: { name: "Gold" } };
const { id: price } = await post("prices", gold);
const money = { amount: 2_000, currency: "usd" };
const { id: charge } = await post("charges", { ...money, customer });

async function createInvoice(terms: object) {
  await post("invoiceitems", { ...money, customer });
  return post("invoices", { customer, pending_invoice_items_behavior: "include", ...terms });
}

/** What one attempt at a bank adds to an invoice. */
const collection = [
  ...["bank.Submit", "transactions.CollectInvoice"],
  ...["writer.BeginCollection", "writer.SettleCharge", "writer.SettleCollection"],
];

const actions: Record<string, { act(): Promise<unknown>; counts: Counts }> = {
  "a customer with a card": {
    act: () => post("customers", buyer),
    counts: {
      rpcs: ["bank.SealCard", "writer.CreateCustomer", "writer.CreateToken"],
      statements: { reader: 0, writer: 15 },
      commits: 2,
    },
  },
  "a charge": {
    act: () => post("charges", { ...money, customer }),
    counts: {
      rpcs: [
        ...["bank.Submit", "reader.GetPayer", "transactions.CreateCharge"],
        ...["writer.BeginCharge", "writer.SettleCharge"],
      ],
      statements: { reader: 1, writer: 2 },
      commits: 2,
    },
  },
  "a return": {
    act: () => post("refunds", { charge, amount: 100 }),
    counts: {
      rpcs: [
        ...["bank.Submit", "reader.GetCharge", "transactions.CreateReturn"],
        ...["writer.BeginReturn", "writer.SettleReturn"],
      ],
      statements: { reader: 1, writer: 4 },
      commits: 2,
    },
  },
  "a subscription with its first payment": {
    act: () => post("subscriptions", { customer, items: [{ price }] }),
    counts: {
      rpcs: [
        ...collection,
        ...["reader.GetPayer", "reader.GetPrice", "reader.GetSubscription", "reader.ListInvoiceItems"],
        "writer.CreateSubscription",
      ].toSorted(),
      statements: { reader: 5, writer: 42 },
      commits: 4,
    },
  },
  "an invoice of one item, finalized and paid": {
    act: async () => {
      const { id } = await createInvoice({});
      await post(`invoices/${id}/finalize`, {});
      await post(`invoices/${id}/pay`, {});
    },
    counts: {
      rpcs: [
        ...collection,
        ...["reader.GetInvoice", "reader.GetPayer", "reader.ListInvoiceItems"],
        ...["writer.CreateInvoice", "writer.CreateInvoiceItem", "writer.FinalizeInvoice"],
      ].toSorted(),
      statements: { reader: 4, writer: 43 },
      commits: 6,
    },
  },
  "an invoice of one item, finalized and sent": {
    act: async () => {
      const { id } = await createInvoice({ collection_method: "send_invoice", days_until_due: 30 });
      await post(`invoices/${id}/send`, {});
    },
    counts: {
      rpcs: [
        ...["mailer.SendInvoice", "pdf.RenderInvoice"],
        ...[
          "reader.GetAccount",
          "reader.GetCustomer",
          "reader.GetInvoice",
          "reader.GetPayer",
          "reader.ListInvoiceItems",
        ],
        ...["writer.BeginSending", "writer.CreateInvoice", "writer.CreateInvoiceItem", "writer.FinalizeInvoice"],
        "writer.MarkSent",
      ],
      statements: { reader: 6, writer: 36 },
      commits: 5,
    },
  },
};

test.each(Object.entries(actions))("%s takes these calls, statements and commits", async (_name, { act, counts }) => {
  // The first is the warm-up: what is cached or prepared once is not the action's.
  await act();
  expect(await count(act)).toEqual(counts);
});
