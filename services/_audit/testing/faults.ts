import type { StatementLine } from "../statement.ts";
import type { Day } from "./world.ts";

/** The statement as it is. */
export const keep = (all: readonly StatementLine[]) => all;
const entry = (id: string) =>
  `select ledger_transfer_id from ledger_transfer where charge_id = '${id}' and kind = 'charge'`;
const pending = "state = 'pending', outcome = null, settle_time = null, resolve_time = statement_timestamp()";

/** What is planted, in SQL and in the bank's lines, and the checks that must find it: these and no others. */
export const faults: Record<
  string,
  [(day: Day) => string, (lines: readonly StatementLine[]) => readonly StatementLine[], string[]]
> = {
  "an entry that was changed": [
    ({ paidId }) => `update ledger_entry set amount_minor = amount_minor - 1
      where ledger_account = 'fees' and ledger_transfer_id in (${entry(paidId)})`,
    keep,
    ["transfers-balance", "ledger-balances", "charges-booked"],
  ],
  "two wrong transfers that cancel each other": [
    ({ paidId, returnedId }) => `update ledger_entry e set amount_minor = amount_minor
        + case when ledger_transfer_id in (${entry(paidId)}) then 7 else -7 end
      where ledger_account = 'bank_clearing' and ledger_transfer_id in (${entry(paidId)} union ${entry(returnedId)})`,
    keep,
    ["transfers-balance", "charges-booked", "bank-clearing"],
  ],
  "a transfer without entries": [
    ({ paidId }) => `delete from ledger_entry where ledger_transfer_id in (${entry(paidId)})`,
    keep,
    ["transfers-balance", "charges-booked", "bank-clearing"],
  ],
  "a charge that succeeded without a booking": [
    ({ paidId }) => `delete from ledger_entry where ledger_transfer_id in (${entry(paidId)});
      delete from ledger_transfer where charge_id = '${paidId}'`,
    keep,
    ["charges-booked", "bank-clearing"],
  ],
  "a fee above its charge": [
    ({ paidId }) => `update ledger_entry set amount_minor = case ledger_account when 'fees' then -2001 else 1 end
      where ledger_account <> 'bank_clearing' and ledger_transfer_id in (${entry(paidId)})`,
    keep,
    ["charges-booked"],
  ],
  "a declined charge that was made to succeed": [
    ({
      declinedId,
    }) => `update charge set state = 'succeeded', captured_minor = amount_minor, ledger_transfer_id = 'txn_1'
      where charge_id = '${declinedId}'`,
    keep,
    ["charges-booked", "attempts-fit", "events-told", "bank-net"],
  ],
  "a charge booked in two currencies": [
    ({ paidId }) => `insert into ledger_entry
      select account_id, ledger_transfer_id, ledger_account, 'EUR', amount_minor
      from ledger_entry where ledger_transfer_id in (${entry(paidId)})`,
    keep,
    ["charges-booked", "bank-clearing"],
  ],
  "a return booked to fees": [
    ({ returnId }) => `update ledger_entry set ledger_account = 'fees' where ledger_account = 'merchant_balance'
      and ledger_transfer_id in (select ledger_transfer_id from ledger_transfer where return_id = '${returnId}')`,
    keep,
    ["returns-booked"],
  ],
  "more returned than captured": [
    ({ returnedId }) => `update charge set returned_minor = 3001 where charge_id = '${returnedId}'`,
    keep,
    ["returns-within"],
  ],
  "an amount held back for no return": [
    ({ paidId }) => `update charge set returned_minor = 100 where charge_id = '${paidId}'`,
    keep,
    ["returns-within"],
  ],
  "an attempt that nobody takes up": [
    ({ lostId }) =>
      `update attempt set resolve_time = statement_timestamp() - interval '2 min' where charge_id = '${lostId}'`,
    keep,
    ["attempts-resolve", "bank-effects"],
  ],
  "an attempt that is not final and never due": [
    ({ lostId }) => `update attempt set resolve_time = null where charge_id = '${lostId}'`,
    keep,
    ["attempts-resolve"],
  ],
  "an attempt that is asked about for four days": [
    ({ lostId }) =>
      `update attempt set begin_time = statement_timestamp() - interval '4 d' where charge_id = '${lostId}'`,
    keep,
    ["attempts-resolve"],
  ],
  "a late success that nobody gives back": [
    ({ accountId, lostId }) => `update attempt set state = 'succeeded', outcome = 'accepted', resolve_time = null,
        settle_time = statement_timestamp() where charge_id = '${lostId}';
      update charge set state = 'failed', decline_reason = 'processing_error', settle_time = statement_timestamp()
      where charge_id = '${lostId}';
      update idempotency set answer = '', finish_time = statement_timestamp() where noun_id = '${lostId}';
      insert into event select account_id, 'evt_1', 'charge.failed', charge_id, '', '', '', create_time
        from charge where charge_id = '${lostId}';
      insert into ledger_transfer select account_id, 'txn_late', 'late_charge', charge_id, null, attempt_id, create_time
        from attempt where charge_id = '${lostId}';
      insert into ledger_entry select '${accountId}', 'txn_late', side.account, 'USD', side.sign * amount_minor
        from charge cross join (values ('bank_clearing', 1), ('suspense', -1)) as side(account, sign)
        where charge_id = '${lostId}'`,
    keep,
    ["suspense-clears", "snapshots-read", "bank-net"],
  ],
  "a booked charge whose attempt is open": [
    ({ paidId }) => `update attempt set ${pending} where charge_id = '${paidId}'`,
    keep,
    ["attempts-fit", "bank-clearing"],
  ],
  "a charge that lost its attempt": [
    ({ declinedId }) => `delete from attempt where charge_id = '${declinedId}'`,
    keep,
    ["attempts-fit"],
  ],
  "an unknown outcome mapped to failed": [
    ({ lostId }) => `update attempt set state = 'failed', outcome = 'not_sent', resolve_time = null,
        settle_time = statement_timestamp() where charge_id = '${lostId}';
      update charge set state = 'failed', decline_reason = 'processing_error', settle_time = statement_timestamp()
      where charge_id = '${lostId}';
      insert into event select account_id, 'evt_1', 'charge.failed', charge_id, '', '', '', create_time
        from charge where charge_id = '${lostId}'`,
    keep,
    ["keys-agree", "snapshots-read", "bank-effects", "bank-net"],
  ],
  "two accounts with one bank reference": [
    ({ liveAccountId, declinedId }) => `insert into attempt select (jsonb_populate_record(t,
        jsonb_build_object('account_id', '${liveAccountId}'))).* from attempt t where charge_id = '${declinedId}'`,
    keep,
    ["bank-references"],
  ],
  "a line that the bank does not have": [
    () => "",
    (all) => all.slice(1),
    ["bank-bookings", "bank-clearing", "bank-net"],
  ],
  "a line of another amount": [
    () => "",
    ([first, ...rest]) => (first === undefined ? [] : [{ ...first, amountMinor: 2_001n }, ...rest]),
    ["bank-effects", "bank-clearing", "bank-net"],
  ],
  "a line of another currency": [
    () => "",
    ([first, ...rest]) => (first === undefined ? [] : [{ ...first, currencyCode: "EUR" }, ...rest]),
    ["bank-effects", "bank-clearing"],
  ],
  "a line of another kind": [
    () => "",
    ([first, ...rest]) => (first === undefined ? [] : [{ ...first, kind: "refund" }, ...rest]),
    ["bank-effects", "bank-clearing", "bank-net"],
  ],
  "the refund of another purchase": [
    () => "",
    (all) => all.map((line) => (line.kind === "refund" ? { ...line, originalBankRef: "att_1" } : line)),
    ["bank-effects"],
  ],
  "a card that was charged twice": [() => "", (all) => [...all, ...all.slice(0, 1)], ["bank-once", "bank-net"]],
  "an effect that nobody asked for": [
    () => "",
    (all) => all.map((line, index) => (index === 3 ? { ...line, bankRef: "att_unknown" } : line)),
    ["bank-unknown"],
  ],
  "a row of each table that a charge writes, of an account that is not there": [
    ({ paidId }) =>
      ["charge", "attempt", "ledger_transfer"]
        .map((table) => `update ${table} set account_id = 'acct_gone' where charge_id = '${paidId}';`)
        .concat(
          `update ledger_entry set account_id = 'acct_gone' where ledger_transfer_id in (${entry(paidId)});`,
          `update idempotency set account_id = 'acct_gone' where noun_id = '${paidId}';`,
          `update event set account_id = 'acct_gone' where object_id = '${paidId}'`,
        )
        .join(""),
    keep,
    ["accounts-exist"],
  ],
  "an answered key whose noun is gone": [
    ({ paidId }) => `update idempotency set noun_id = 'cus_gone' where noun_id <> '${paidId}' and noun_id like 'tok%'
      and request_id = (select min(request_id) from idempotency where noun_id like 'tok%')`,
    keep,
    ["answers-exist", "snapshots-read"],
  ],
  "a key that is answered with another charge": [
    ({ paidId, returnedId }) => `update idempotency set noun_id = '${returnedId}',
      answer = (select answer from idempotency where noun_id = '${returnedId}') where noun_id = '${paidId}'`,
    keep,
    ["keys-agree"],
  ],
  "a stored answer that is another noun": [
    ({ paidId, returnedId }) => `update idempotency
      set answer = (select answer from idempotency where noun_id = '${returnedId}') where noun_id = '${paidId}'`,
    keep,
    ["snapshots-read"],
  ],
  "a charge that ended without an answer": [
    ({ paidId }) => `update idempotency set answer = null, finish_time = null where noun_id = '${paidId}'`,
    keep,
    ["keys-agree"],
  ],
  "a claim that nothing came of": [
    ({ accountId }) =>
      `insert into idempotency values ('${accountId}', 'key', '', 'ch_gone', null, '', statement_timestamp(), null)`,
    keep,
    ["keys-agree"],
  ],
  "an end that was not told": [
    ({ declinedId }) => `delete from event where object_id = '${declinedId}'`,
    keep,
    ["events-told"],
  ],
  "an end that was told twice": [
    ({ paidId }) => `insert into event select account_id, 'evt_1', type, object_id, snapshot, '', '', create_time
      from event where object_id = '${paidId}'`,
    keep,
    ["events-told"],
  ],
  "a return that was not told": [
    ({ returnId }) => `delete from event where object_id = '${returnId}'`,
    keep,
    ["events-told"],
  ],
  "an alert": [
    ({
      accountId,
      paidId,
    }) => `insert into alert values ('${accountId}', 'alert_1', 'ANSWERS_DISAGREE', '${paidId}', '{}',
      statement_timestamp(), null)`,
    keep,
    ["alerts-resolved"],
  ],
  "an event that an endpoint never heard of": [
    () => `update event set dispatch_time = statement_timestamp();
      insert into webhook_endpoint (account_id, webhook_endpoint_id, url, event_types, description, metadata, match_time, make_time, create_time)
      select account_id, 'we_1', 'https://example.com', '{charge.succeeded}', '', '{}', statement_timestamp() - interval '1 hour',
        statement_timestamp() - interval '1 hour', statement_timestamp() from account`,
    keep,
    ["deliveries-made"],
  ],
  "a delivery that nobody makes": [
    () => `insert into webhook_endpoint (account_id, webhook_endpoint_id, url, event_types, description, metadata, match_time, create_time)
      select account_id, 'we_1', 'https://example.com', '{x.y}', '', '{}', statement_timestamp(), statement_timestamp() from account;
      insert into delivery (account_id, event_id, webhook_endpoint_id, state, turn, rung, due_time, create_time)
      select account_id, event_id, 'we_1', 'due', 1, 0, statement_timestamp() - interval '11 minutes', statement_timestamp()
      from event limit 1`,
    keep,
    ["deliveries-due"],
  ],
  "a webhook secret in the clear": [
    ({ accountId }) => `insert into webhook_endpoint (account_id, webhook_endpoint_id, url, event_types, description,
        metadata, match_time, create_time)
      values ('${accountId}', 'we_plain', 'https://example.com', '{none}', '', '{}', statement_timestamp(), statement_timestamp());
      insert into webhook_secret (account_id, webhook_endpoint_id, request_id, secret, create_time)
      values ('${accountId}', 'we_plain', 'req_plain', 'whsec_0123456789abcdefghijABCDEFGHIJ01', statement_timestamp())`,
    keep,
    ["webhook-secrets-sealed"],
  ],
  "a card number in a description": [
    ({ paidId }) => `update charge set description = 'pay 4242 4242 4242 4242' where charge_id = '${paidId}'`,
    keep,
    ["cards-database"],
  ],
  "a card number in metadata": [
    ({ paidId }) => `update charge set metadata = '{"card":"378282246310005"}' where charge_id = '${paidId}'`,
    keep,
    ["cards-database"],
  ],
  "a card number among bytes": [
    ({
      declinedId,
    }) => `update payment_method set sealed_card = '\\x8181' || convert_to('4242424242424242', 'utf8') || '\\x81'
      where payment_method_id = (select payment_method_id from charge where charge_id = '${declinedId}')`,
    keep,
    ["cards-database"],
  ],
  "a card number in a list": [
    ({ accountId }) => `insert into customer (account_id, customer_id, email, name, phone, description, metadata,
        invoice_prefix, create_time, preferred_locales)
      values ('${accountId}', 'cus_1', '', '', '', '', '{}', 'ABC', statement_timestamp(), array['de', '5555555555554444'])`,
    keep,
    ["events-told", "cards-database"],
  ],
};
