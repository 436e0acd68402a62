import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { BeginExpiriesRequest } from "../../gen/tripe/writer/v1/captures_pb.ts";
import { type AttemptRow, attemptColumns, attemptOf } from "../_database/rows/attempt.ts";
import { createId } from "../_runtime/ids.ts";
import type { WriterDependencies } from "./answers.ts";
import { CLOCKED, NOW } from "./due.ts";
import { endingsOf } from "./hold-endings.ts";
import { LEASE_MS } from "./lease.ts";

/** Holds that nothing ends. A capture begun since the statement's snapshot has the hold: the index says so. */
const BEGIN = {
  name: "begin_expiries",
  text: `with due_now as (
      select c.* from charge c
      where c.is_hold_open
        and c.capture_before_time <= ${NOW} and c.capture_before_time <= business_now(c.account_id, c.customer_id)
        and not exists (${endingsOf("c")})
      order by c.capture_before_time limit $1 for no key update skip locked
    ), due_by_clock as (
      select h.* from ${CLOCKED} cross join lateral (
        select c.* from charge c
        where c.account_id = k.account_id and c.customer_id = k.customer_id and c.is_hold_open
          and c.capture_before_time > ${NOW} and c.capture_before_time <= k.business_time
          and not exists (${endingsOf("c")})
        for no key update skip locked
      ) h
      order by h.capture_before_time limit $1
    ), due as (
      select d.*, row_number() over () as number
      from (select * from due_now union all select * from due_by_clock limit $1) d
    ), attempted as (
      insert into attempt (account_id, attempt_id, kind, state, charge_id, payment_method_id, bank_ref,
        original_bank_ref, amount_minor, currency_code, fence, tries, bank, lease_end_time, resolve_time,
        authorization_code, network_reference, create_time)
      select d.account_id, i.attempt_id, 'reverse', 'pending', d.charge_id, d.payment_method_id, i.attempt_id, o.bank_ref,
        d.amount_minor, d.currency_code, 1, 0, o.bank, statement_timestamp() + ${LEASE_MS} * interval '1 ms',
        statement_timestamp() + ${LEASE_MS} * interval '1 ms', '', '', business_now(d.account_id, d.customer_id)
      from due d
      join unnest($2::text[]) with ordinality as i(attempt_id, number) on i.number = d.number
      join attempt o on o.account_id = d.account_id and o.charge_id = d.charge_id and o.kind = 'authorize'
      on conflict do nothing
      returning *
    )
    select ${attemptColumns} from attempted t join payment_method p using (account_id, payment_method_id)`,
};

/** Begins the release of holds whose time is over, the longest first; each is leased to the caller. */
export async function beginExpiries(
  { database }: WriterDependencies,
  { limit }: BeginExpiriesRequest,
): Promise<{ attempts: Attempt[] }> {
  const ids = Array.from({ length: limit }, () => createId("att_"));
  const rows = await database.query<AttemptRow>(BEGIN, [limit, ids]);
  return { attempts: rows.map(attemptOf) };
}
