import { type ChargeRow, chargeColumns, chargeJoins } from "../_database/rows/charge.ts";
import { dispatchTimeOf } from "./dispatch-time.ts";
import type { FeeRow } from "./fee.ts";

/** The charges of settlements, with what their attempts have come to. */
export const READ = {
  name: "read_settling_charge",
  text: `select ${chargeColumns}, c.revision, t.attempt_id, t.outcome, t.fence, a.fee_basis_points, a.fee_fixed_minor,
      coalesce(k.business_time, business_now()) as business_time
    from unnest($1::text[], $2::text[], $3::text[]) as i(account_id, charge_id, attempt_id)
    join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id ${chargeJoins}
    join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id and t.charge_id = i.charge_id
    left join customer u on u.account_id = c.account_id and u.customer_id = c.customer_id
    left join test_clock k on k.account_id = u.account_id and k.test_clock_id = u.test_clock_id`,
};

/** A row of `READ`. */
export interface SettlingRow extends ChargeRow, FeeRow {
  readonly revision: number;
  readonly attempt_id: string;
  /** Null while the attempt is pending. */
  readonly outcome: string | null;
  readonly fence: number;
  readonly business_time: Date;
}

/** A failure is counted with the account's declines; what is only held was not paid, so its receipt follows the capture. */
const dispatchTime = dispatchTimeOf({
  account: "e.account_id",
  type: "'charge.' || e.state",
  causes: "e.state = 'failed' or (e.ledger_transfer_id is not null and e.receipt_email <> '')",
});

/**
 * The attempt's end has a single winner; everything else follows from the row it returns. A charge is locked first, so that
 * the revision its snapshot was made of still holds. NOT_SENT ends an attempt only for the holder of its fence: somebody
 * else may have sent it since. An attempt is pending while its outcome is null (a CHECK says so too): asked for by its state,
 * the planner would walk the index of all that is pending, which is long when a bank is down.
 */
export const SETTLE = {
  name: "settle_charge",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::bytea[],
        $16::timestamptz[], $17::text[], $18::timestamptz[])
      as t(account_id, charge_id, revision, attempt_id, fence, outcome, state, decline_reason, response_code,
        authorization_code, network_reference, fee_minor, ledger_transfer_id, event_id, snapshot, settle_time, bank,
        capture_before_time)
    ), locked as (
      select i.*, c.amount_minor, c.currency_code, c.request_id, c.receipt_email
      from input i join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      where c.revision = i.revision and c.state = 'pending'
      order by i.account_id, i.charge_id
      for no key update of c
    ), ended as (
      update attempt t set state = l.state, outcome = l.outcome, decline_reason = l.decline_reason,
        response_code = l.response_code, authorization_code = l.authorization_code,
        network_reference = l.network_reference, bank = l.bank, settle_time = l.settle_time, resolve_time = null,
        lease_end_time = null
      from locked l
      where t.account_id = l.account_id and t.attempt_id = l.attempt_id and t.outcome is null
        and (l.outcome <> 'not_sent' or t.fence = l.fence)
      returning l.*
    ), charged as (
      update charge c set revision = c.revision + 1, state = e.state, decline_reason = e.decline_reason,
        response_code = e.response_code, authorization_code = e.authorization_code, settle_time = e.settle_time,
        ledger_transfer_id = e.ledger_transfer_id,
        capture_before_time = e.capture_before_time,
        captured_minor = case when e.ledger_transfer_id is null then 0 else c.amount_minor end
      from ended e where c.account_id = e.account_id and c.charge_id = e.charge_id
    ), booked as (
      insert into ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, attempt_id, create_time)
      select account_id, ledger_transfer_id, 'charge', charge_id, attempt_id, settle_time
      from ended where ledger_transfer_id is not null
    ), entered as (
      insert into ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
      select e.account_id, e.ledger_transfer_id, side.ledger_account, e.currency_code, side.amount_minor
      from ended e cross join lateral (values ('bank_clearing', e.amount_minor),
        ('merchant_balance', e.fee_minor - e.amount_minor), ('fees', -e.fee_minor)) as side(ledger_account, amount_minor)
      where e.ledger_transfer_id is not null and side.amount_minor <> 0
    ), answered as (
      update idempotency d set answer = e.snapshot, finish_time = e.settle_time
      from ended e where d.account_id = e.account_id and d.request_id = e.request_id
      returning d.account_id, d.request_id, d.public_request_id, d.client_key
    ), told as (
      insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time,
        dispatch_time)
      select e.account_id, e.event_id, 'charge.' || e.state, e.charge_id, e.snapshot, d.public_request_id, d.client_key,
        e.settle_time, ${dispatchTime}
      from ended e join answered d using (account_id, request_id)
    )
    select attempt_id from ended`,
};
