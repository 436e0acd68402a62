import { dispatchTimeOf } from "./dispatch-time.ts";
import { saidOfReturn } from "./said-of-return.ts";

/**
 * As a charge is settled (settle-charge-sql.ts). Nothing is booked: no money has moved. What the merchant asked for answers
 * its return; what has expired answers nobody, so its event names no request.
 */
export const SETTLE = {
  name: "settle_release",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::text[], $8::text[],
        $9::boolean[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
        $17::bytea[], $18::bytea[], $19::bytea[], $20::timestamptz[], $21::text[])
      as t(account_id, charge_id, return_id, revision, attempt_id, fence, outcome, state, is_released, decline_reason,
        response_code, authorization_code, network_reference, return_event_id, status_event_id, end_event_id, snapshot,
        previous, charge_snapshot, settle_time, bank)
    ), locked as (
      select i.*
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
      returning l.*, t.tell_time
    ), released as (
      update charge c set revision = c.revision + 1, release_time = e.settle_time
      from ended e where c.account_id = e.account_id and c.charge_id = e.charge_id and e.is_released
    ), returned as (
      update charge_return r set revision = r.revision + 1, state = e.state, decline_reason = e.decline_reason,
        response_code = e.response_code, network_reference = e.network_reference, settle_time = e.settle_time
      from ended e where r.account_id = e.account_id and r.return_id = e.return_id
      returning r.account_id, r.return_id, r.request_id
    ), answered as (
      update idempotency d set answer = e.snapshot, finish_time = e.settle_time
      from ended e join returned r using (account_id, return_id)
      where d.account_id = e.account_id and d.request_id = r.request_id
      returning e.account_id, e.return_id, d.public_request_id, d.client_key
    ), told as (
      insert into event (account_id, event_id, type, object_id, snapshot, previous, public_request_id, idempotency_key,
        create_time, dispatch_time)
      select e.account_id, said.event_id, said.type, said.object_id, said.snapshot, said.previous,
        coalesce(d.public_request_id, ''), coalesce(d.client_key, ''), e.settle_time,
        ${dispatchTimeOf({ account: "e.account_id", type: "said.type" })}
      from ended e left join answered d using (account_id, return_id)
      cross join lateral (
        select * from (values
        ${saidOfReturn}) as of_return where e.return_id is not null
        union all
        select e.end_event_id, 'charge.expired', e.charge_id, e.charge_snapshot, null
        where e.return_id is null and e.is_released
      ) as said(event_id, type, object_id, snapshot, previous)
      where said.type is not null
    )
    select attempt_id from ended`,
};
