import { createClient } from "../../services/_database/connect-client.ts";

/** A run of numbers, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What real rows are copied of. */
export interface Model {
  readonly accountId: string;
  readonly customerId: string;
  readonly chargeId: string;
}

/** Rows of one transaction: large enough to be quick, small enough for the write-ahead log. */
const CHUNK = 50_000;
/** A chunk takes seconds. */
const QUERY_MAX_MS = 600_000;
/** Digits of an id's number: with them the ids are as long as the model's, and sort before all that is made later. */
const DIGITS = 24;

/** The id of the n-th copy, in SQL: the model's prefix and 24 digits. */
const idOf = (prefix: string, number = "n") => `('${prefix}_' || lpad(${number}::text, ${DIGITS}, '0'))`;

/** Copies by table: which rows of the model's, and what differs in the n-th of them. */
type Copies = readonly { table: string; where: string; changed: Readonly<Record<string, string>> }[];

/**
 * Copies a customer with a card, and a paid charge of it, so many times by set-based statements: each copy has every row that a
 * real one has, with ids of its own in the stored snapshots too, so that the books of it all balance with the bank's lines.
 */
export async function copyRows(url: string, model: Model, customers: Range, charges: Range): Promise<void> {
  const client = createClient({ url, name: "tripe_bench", queryTimeoutMs: QUERY_MAX_MS });
  await client.connect();
  try {
    const ids = await readIds(client, model);
    await copy(customers, customerCopies(ids));
    // Customers and cards name each other: the one to come second is named last.
    await client.query(
      `update tripe.customer c set default_payment_method_id = m.payment_method_id from tripe.payment_method m
        where m.account_id = c.account_id and m.customer_id = c.customer_id and c.default_payment_method_id is null
          and c.account_id = $1 and c.email like 'customer%@example.com'`,
      [model.accountId],
    );
    await copy(charges, chargeCopies(ids, customers.to));
  } finally {
    await client.end();
  }

  async function copy({ from, to }: Range, copies: Copies): Promise<void> {
    for (let start = from; start <= to; start += CHUNK) {
      await client.query("begin");
      for (const { table, where, changed } of copies) {
        const { rows } = await client.query<{ columns: string[] }>(
          `select array_agg(column_name::text order by ordinal_position) as columns from information_schema.columns
            where table_schema = 'tripe' and table_name = $1 and is_generated = 'NEVER'`,
          [table],
        );
        const columns = rows[0]?.columns ?? [];
        const values = columns.map((column) => changed[column] ?? `m.${column}`).join(", ");
        const end = Math.min(to, start + CHUNK - 1);
        await client.query(
          `insert into tripe.${table} (${columns.join(", ")})
            select ${values} from tripe.${table} m cross join generate_series(${start}, ${end}) n where ${where}`,
        );
      }
      await client.query("commit");
    }
  }
}

interface Ids extends Model {
  readonly paymentMethodId: string;
  readonly attemptId: string;
  readonly transferId: string;
  readonly requestId: string;
}

async function readIds(client: ReturnType<typeof createClient>, model: Model): Promise<Ids> {
  const { rows } = await client.query<Record<keyof Omit<Ids, keyof Model>, string>>(
    `select c.payment_method_id as "paymentMethodId", t.attempt_id as "attemptId", c.ledger_transfer_id as "transferId",
        c.request_id as "requestId"
      from tripe.charge c join tripe.attempt t using (account_id, charge_id) where c.account_id = $1 and c.charge_id = $2`,
    [model.accountId, model.chargeId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no charge ${model.chargeId} to copy`);
  return { ...model, ...row };
}

/** An id's prefix: "cus" of "cus_0Abc". */
const prefixOf = (id: string) => id.slice(0, id.lastIndexOf("_"));

/** A snapshot with the ids of the n-th copy in the places of the model's: they are as long, so that the bytes still read. */
function snapshotOf(column: string, replaced: readonly (readonly [id: string, number?: string])[]): string {
  const hex = (text: string) => `encode(convert_to(${text}, 'UTF8'), 'hex')`;
  const replacedHex = replaced.reduce(
    (text, [id, number]) => `replace(${text}, ${hex(`'${id}'`)}, ${hex(idOf(prefixOf(id), number))})`,
    `encode(m.${column}, 'hex')`,
  );
  return `decode(${replacedHex}, 'hex')`;
}

function customerCopies({ accountId, customerId, paymentMethodId }: Ids): Copies {
  const mine = `m.account_id = '${accountId}'`;
  const [customer, method] = [idOf(prefixOf(customerId)), idOf(prefixOf(paymentMethodId))];
  const ids = [[customerId], [paymentMethodId]] as const;
  const event = (objectId: string, object: string, number: string) => ({
    table: "event",
    where: `${mine} and m.object_id = '${objectId}' and m.type like '%ed' and m.type not like '%updated'`,
    changed: { event_id: idOf("evt", number), object_id: object, snapshot: snapshotOf("snapshot", ids) },
  });
  return [
    {
      table: "customer",
      where: `${mine} and m.customer_id = '${customerId}'`,
      changed: {
        customer_id: customer,
        // Set once the card is there.
        default_payment_method_id: "null",
        invoice_prefix: "upper(lpad(to_hex(n), 8, '0'))",
        email: "'customer' || n || '@example.com'",
      },
    },
    {
      table: "payment_method",
      where: `${mine} and m.payment_method_id = '${paymentMethodId}'`,
      changed: { payment_method_id: method, customer_id: customer },
    },
    event(customerId, customer, "(n * 10 + 1)"),
    event(paymentMethodId, method, "(n * 10 + 2)"),
  ];
}

function chargeCopies(ids: Ids, customersCount: number): Copies {
  const { accountId, customerId, chargeId, paymentMethodId, attemptId, transferId, requestId } = ids;
  const mine = `m.account_id = '${accountId}'`;
  const of = (number: string) => `(1 + ${number} % ${customersCount})`;
  const [customer, method] = [idOf(prefixOf(customerId), of("n")), idOf(prefixOf(paymentMethodId), of("n"))];
  const [charge, attempt, transfer] = [chargeId, attemptId, transferId].map((id) => idOf(prefixOf(id)));
  const request = "('copy-' || n)";
  const replaced = [[chargeId], [customerId, of("n")], [paymentMethodId, of("n")], [transferId], [attemptId]] as const;
  const snapshot = (column: string) => snapshotOf(column, replaced);
  // One a second until the model's: what a merchant looks at is spread over days.
  const create_time = "m.create_time - (10000000 - n) * interval '1 s'";
  const changed = (fields: Record<string, string | undefined>) =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([column, value]) => (value === undefined ? [] : [[column, value]])),
    );
  return [
    {
      table: "idempotency",
      where: `${mine} and m.request_id = '${requestId}'`,
      changed: changed({ request_id: request, noun_id: charge, answer: snapshot("answer"), create_time }),
    },
    {
      table: "charge",
      where: `${mine} and m.charge_id = '${chargeId}'`,
      changed: changed({
        ...{ charge_id: charge, customer_id: customer, payment_method_id: method, request_id: request },
        ...{ ledger_transfer_id: transfer, create_time },
      }),
    },
    {
      table: "attempt",
      where: `${mine} and m.attempt_id = '${attemptId}'`,
      changed: changed({
        ...{ attempt_id: attempt, bank_ref: attempt, charge_id: charge, payment_method_id: method, create_time },
      }),
    },
    {
      table: "ledger_transfer",
      where: `${mine} and m.ledger_transfer_id = '${transferId}'`,
      changed: changed({ ledger_transfer_id: transfer, charge_id: charge, attempt_id: attempt, create_time }),
    },
    {
      table: "ledger_entry",
      where: `${mine} and m.ledger_transfer_id = '${transferId}'`,
      changed: changed({ ledger_transfer_id: transfer }),
    },
    {
      table: "event",
      where: `${mine} and m.object_id = '${chargeId}'`,
      changed: changed({
        ...{ event_id: idOf("evt", "(n * 10 + 3)"), object_id: charge, snapshot: snapshot("snapshot"), create_time },
      }),
    },
  ];
}
