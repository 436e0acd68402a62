import { CUSTOMERS, SCHEMA } from "./pgbench-schema.ts";

/** What the script needs to know of the Tripe beside it. */
export interface ScriptOptions {
  readonly accountId: string;
  /** Bytes of a charge's snapshot, which its answer and its event hold. */
  readonly snapshotBytes: number;
  /** Whether events without an endpoint are marked as dispatched when they are written, as Tripe then does. */
  readonly isDispatched: boolean;
}

/** An id of 27 characters, as Tripe's: later ones are greater, in each client. */
const idOf = (prefix: string) => `('${prefix}_000000000' || lpad((:number)::text, 16, '0'))`;

/** The three statements that begin a charge on a stored card. */
function beginning(): string[] {
  const customer = "('cus_' || :customer)";
  const method = "('pm_' || :customer)";
  return [
    `insert into ${SCHEMA}.idempotency (account_id, request_id, request_digest, noun_id, public_request_id, client_key,
      create_time)
      values (:account, ${idOf("rq")}, decode(repeat('5a', 32), 'hex'), ${idOf("ch")}, ${idOf("req")}, ${idOf("key")}, statement_timestamp())`,
    `insert into ${SCHEMA}.charge (account_id, charge_id, revision, state, amount_minor, currency_code, captured_minor,
      returned_minor, customer_id, payment_method_id, is_from_source, description, metadata, receipt_email,
      statement_descriptor, statement_descriptor_suffix, transfer_group, authorization_code, request_id, is_held,
      create_time)
      values (:account, ${idOf("ch")}, 1, 'pending', 2000, 'USD', 0, 0, ${customer}, ${method}, false, '', '{}', '', '',
      '', '', '', ${idOf("rq")}, false, statement_timestamp())`,
    `insert into ${SCHEMA}.attempt (account_id, attempt_id, kind, state, charge_id, payment_method_id, bank_ref,
      original_bank_ref, amount_minor, currency_code, fence, tries, bank, lease_end_time, resolve_time,
      authorization_code, network_reference, create_time)
      values (:account, ${idOf("at")}, 'purchase', 'pending', ${idOf("ch")}, ${method}, ${idOf("at")}, '', 2000, 'USD', 1,
      0, '', statement_timestamp() + interval '20 s', statement_timestamp() + interval '20 s', '', '', statement_timestamp())`,
  ];
}

/** The six statements that settle it as paid. */
function settling({ snapshotBytes, isDispatched }: ScriptOptions): string[] {
  const snapshot = `decode(repeat('a5', ${snapshotBytes}), 'hex')`;
  return [
    `update ${SCHEMA}.attempt set state = 'succeeded', outcome = 'accepted', response_code = '00',
      authorization_code = '123456', network_reference = '123456789012', bank = 'sandbox', settle_time = statement_timestamp(),
      resolve_time = null, lease_end_time = null
      where account_id = :account and attempt_id = ${idOf("at")} and outcome is null`,
    `insert into ${SCHEMA}.ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, attempt_id, create_time)
      values (:account, ${idOf("lt")}, 'charge', ${idOf("ch")}, ${idOf("at")}, statement_timestamp())`,
    `insert into ${SCHEMA}.ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
      values (:account, ${idOf("lt")}, 'bank_clearing', 'USD', 2000),
      (:account, ${idOf("lt")}, 'merchant_balance', 'USD', -2000)`,
    `update ${SCHEMA}.charge set revision = revision + 1, state = 'succeeded', response_code = '00',
      authorization_code = '123456', settle_time = statement_timestamp(), ledger_transfer_id = ${idOf("lt")}, captured_minor = amount_minor
      where account_id = :account and charge_id = ${idOf("ch")} and revision = 1`,
    `update ${SCHEMA}.idempotency set answer = ${snapshot}, finish_time = statement_timestamp()
      where account_id = :account and request_id = ${idOf("rq")}`,
    `insert into ${SCHEMA}.event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key,
      create_time, dispatch_time)
      values (:account, ${idOf("evt")}, 'charge.succeeded', ${idOf("ch")}, ${snapshot}, ${idOf("req")}, ${idOf("key")},
      statement_timestamp(), ${isDispatched ? "statement_timestamp()" : "null"})`,
  ];
}

/**
 * The rows of one paid charge as two ordinary transactions of nine statements in all, in the words of pgbench. A run is given
 * `base`, a number that no earlier run had, by -D, and `count` = 0.
 */
export function createScript(options: ScriptOptions): string {
  return [
    `\\set customer random(1, ${CUSTOMERS})`,
    "\\set count :count + 1",
    "\\set number (:base + :count) * 1000 + :client_id",
    ...transactionsOf(options).flatMap((statements) => [
      "begin;",
      ...statements.map((text) => `${oneLine(text)};`),
      "commit;",
    ]),
    "",
  ].join("\n");
}

/** The statements of the two transactions, with `:number` and `:customer` in the places of pgbench's variables. */
export function transactionsOf(options: ScriptOptions): [begin: string[], settle: string[]] {
  const account = `'${options.accountId.replaceAll("'", "''")}'`;
  const named = (texts: string[]) => texts.map((text) => text.replaceAll(":account", account));
  return [named(beginning()), named(settling(options))];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
