import { type ChargeRow, chargeColumns, chargeJoins } from "../_database/rows/charge.ts";
import { dispatchTimeOf } from "./dispatch-time.ts";
import type { FeeRow } from "./fee.ts";

/** The charges of captures and releases, with what their attempts have come to. */
export const READ = {
  name: "read_settling_hold",
  text: `select ${chargeColumns}, c.revision, t.attempt_id, t.outcome, t.fence, t.amount_minor as attempt_minor,
      a.fee_basis_points, a.fee_fixed_minor, t.decline_reason as attempt_decline_reason, t.response_code as attempt_response_code,
      business_now(c.account_id, c.customer_id) as business_time
    from unnest($1::text[], $2::text[], $3::text[]) as i(account_id, charge_id, attempt_id)
    join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id ${chargeJoins}
    join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id and t.charge_id = i.charge_id`,
};

/** A row of `READ`. */
export interface SettlingHold extends ChargeRow, FeeRow {
  readonly revision: number;
  readonly attempt_id: string;
  /** Null while the attempt is pending. */
  readonly outcome: string | null;
  readonly fence: number;
  readonly attempt_minor: bigint;
  readonly attempt_decline_reason: string | null;
  readonly attempt_response_code: string | null;
  readonly business_time: Date;
}

const dispatchTime = dispatchTimeOf({
  account: "e.account_id",
  type: "'charge.captured'",
  causes: "e.receipt_email <> ''",
});

/**
 * As a charge is settled (settle-charge-sql.ts): one winner, and everything follows from its row. A capture that failed
 * changes its attempt and its answer only: the charge is held as before.
 */
export const SETTLE = {
  name: "settle_capture",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::bytea[],
        $16::timestamptz[], $17::text[])
      as t(account_id, charge_id, revision, attempt_id, fence, outcome, state, decline_reason, response_code,
        authorization_code, network_reference, fee_minor, ledger_transfer_id, event_id, snapshot, settle_time, bank)
    ), locked as (
      select i.*, c.receipt_email
      from input i join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      where c.revision = i.revision and c.captured_minor = 0 and c.release_time is null
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
      returning l.*, t.amount_minor, t.currency_code, t.request_id
    ), charged as (
      update charge c set revision = c.revision + 1, captured_minor = e.amount_minor,
        ledger_transfer_id = e.ledger_transfer_id
      from ended e where c.account_id = e.account_id and c.charge_id = e.charge_id and e.state = 'succeeded'
    ), booked as (
      insert into ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, attempt_id, create_time)
      select account_id, ledger_transfer_id, 'charge', charge_id, attempt_id, settle_time
      from ended where state = 'succeeded'
    ), entered as (
      insert into ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
      select e.account_id, e.ledger_transfer_id, side.ledger_account, e.currency_code, side.amount_minor
      from ended e cross join lateral (values ('bank_clearing', e.amount_minor),
        ('merchant_balance', e.fee_minor - e.amount_minor), ('fees', -e.fee_minor)) as side(ledger_account, amount_minor)
      where e.state = 'succeeded' and side.amount_minor <> 0
    ), answered as (
      update idempotency d set answer = e.snapshot, finish_time = e.settle_time
      from ended e where d.account_id = e.account_id and d.request_id = e.request_id
      returning d.account_id, d.request_id, d.public_request_id, d.client_key
    ), told as (
      insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time,
        dispatch_time)
      select e.account_id, e.event_id, 'charge.captured', e.charge_id, e.snapshot, d.public_request_id, d.client_key,
        e.settle_time, ${dispatchTime}
      from ended e join answered d using (account_id, request_id)
      where e.state = 'succeeded'
    )
    select attempt_id from ended`,
};
