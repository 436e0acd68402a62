import { type ChargeRow, chargeColumns, chargeJoins } from "../_database/rows/charge.ts";
import { type ReturnRow, returnColumns } from "../_database/rows/return.ts";
import { dispatchTimeOf } from "./dispatch-time.ts";
import { saidOfReturn } from "./said-of-return.ts";

/** The charges that returns give back. */
export const READ_CHARGE = {
  name: "read_returning_charge",
  text: `select ${chargeColumns}, c.revision, t.attempt_id
    from unnest($1::text[], $2::text[]) as i(account_id, attempt_id)
    join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id
    join charge c on c.account_id = t.account_id and c.charge_id = t.charge_id ${chargeJoins}`,
};

/** The returns of settlements, with what their attempts have come to. */
export const READ_RETURN = {
  name: "read_settling_return",
  text: `select ${returnColumns}, t.attempt_id, t.outcome, t.fence, business_now(c.account_id, c.customer_id) as business_time
    from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as i(account_id, return_id, attempt_id, charge_id)
    join charge_return r on r.account_id = i.account_id and r.return_id = i.return_id and r.charge_id = i.charge_id
    join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id and t.return_id = i.return_id
    join charge c on c.account_id = r.account_id and c.charge_id = r.charge_id
    join account a on a.account_id = r.account_id`,
};

/** A row of `READ_CHARGE`. */
export interface SettlingCharge extends ChargeRow {
  readonly revision: number;
  readonly attempt_id: string;
}

/** A row of `READ_RETURN`. */
export interface SettlingReturn extends ReturnRow {
  readonly attempt_id: string;
  /** Null while the attempt is pending. */
  readonly outcome: string | null;
  readonly fence: number;
  readonly business_time: Date;
}

/** Who gets money back is mailed of it by the event that creates the return as succeeded, or that updates it to be so. */
const dispatchTime = dispatchTimeOf({
  account: "e.account_id",
  type: "said.type",
  causes: "(said.type in ('refund.created', 'refund.updated') and e.state = 'succeeded' and e.receipt_email <> '')",
});

/** As a charge is settled (settle-charge.ts); a return that failed gives its amount back to the charge. */
export const SETTLE = {
  name: "settle_return",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
        $16::text[], $17::bytea[], $18::bytea[], $19::bytea[], $20::timestamptz[], $21::text[])
      as t(account_id, return_id, charge_id, revision, attempt_id, fence, outcome, state, decline_reason, response_code,
        authorization_code, network_reference, ledger_transfer_id, return_event_id, status_event_id, end_event_id,
        snapshot, previous, charge_snapshot, settle_time, bank)
    ), locked as (
      select i.*, c.currency_code, c.receipt_email
      from input i join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      where c.revision = i.revision
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
      returning l.*, t.amount_minor, t.tell_time
    ), returned as (
      update charge_return r set revision = r.revision + 1, state = e.state, decline_reason = e.decline_reason,
        response_code = e.response_code, network_reference = e.network_reference, settle_time = e.settle_time,
        ledger_transfer_id = e.ledger_transfer_id
      from ended e where r.account_id = e.account_id and r.return_id = e.return_id
      returning r.account_id, r.return_id, r.request_id
    ), released as (
      update charge c set revision = c.revision + 1, returned_minor = c.returned_minor - e.amount_minor
      from ended e where c.account_id = e.account_id and c.charge_id = e.charge_id and e.state = 'failed'
    ), booked as (
      insert into ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, return_id, attempt_id, create_time)
      select account_id, ledger_transfer_id, 'return', charge_id, return_id, attempt_id, settle_time
      from ended where state = 'succeeded'
    ), entered as (
      insert into ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
      select e.account_id, e.ledger_transfer_id, side.ledger_account, e.currency_code, side.amount_minor
      from ended e cross join lateral (values ('bank_clearing', -e.amount_minor), ('merchant_balance', e.amount_minor))
        as side(ledger_account, amount_minor)
      where e.state = 'succeeded'
    ), answered as (
      update idempotency d set answer = e.snapshot, finish_time = e.settle_time
      from ended e join returned r using (account_id, return_id)
      where d.account_id = e.account_id and d.request_id = r.request_id
      returning e.account_id, e.return_id, d.public_request_id, d.client_key
    ), told as (
      insert into event (account_id, event_id, type, object_id, snapshot, previous, public_request_id, idempotency_key,
        create_time, dispatch_time)
      select e.account_id, said.event_id, said.type, said.object_id, said.snapshot, said.previous, d.public_request_id,
        d.client_key, e.settle_time, ${dispatchTime}
      from ended e join answered d using (account_id, return_id)
      cross join lateral (values
        ${saidOfReturn}) as said(event_id, type, object_id, snapshot, previous)
      where said.type is not null
    )
    select attempt_id from ended`,
};
