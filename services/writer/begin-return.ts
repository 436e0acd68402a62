import type { BeginReturnRequest } from "../../gen/tripe/writer/v1/returns_pb.ts";
import { violatedConstraint } from "../_database/connect.ts";
import { type AttemptRow, attemptOf } from "../_database/rows/attempt.ts";
import { type ReturnRow, returnColumns, returnOf } from "../_database/rows/return.ts";
import type { WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { type Cause, currentCause } from "./cause.ts";
import { type BegunReturn, besideReturn, explainReturn } from "./explain-return.ts";
import { endingsOf, LOST_RACES } from "./hold-endings.ts";
import { LEASE_MS } from "./lease.ts";

/**
 * One row for each command that may go ahead. The limit is one conditional update under the charge's lock: returned + x is
 * never above captured. An amount of 0 is all that is left. Of a charge that is held, the whole is let go, and nothing else
 * may be ending it.
 */
const BEGIN = {
  name: "begin_return",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::text[], $10::jsonb[], $11::text[])
      as t(account_id, request_id, request_digest, public_request_id, return_id, charge_id, attempt_id, asked_minor,
        reason, metadata, client_key)
    ), fresh as (
      select i.*, c.currency_code, c.payment_method_id, o.bank_ref as original_bank_ref, o.bank,
        business_now(c.account_id, c.customer_id) as create_time,
        c.is_held and c.captured_minor = 0 as is_release,
        case when c.is_held and c.captured_minor = 0 then c.amount_minor
          when i.asked_minor = 0 then c.captured_minor - c.returned_minor else i.asked_minor end as amount_minor
      from input i
      join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      join attempt o on o.account_id = c.account_id and o.charge_id = c.charge_id and o.kind in ('purchase', 'authorize')
      where c.state = 'succeeded' and c.release_time is null
        and (not c.is_held or c.captured_minor > 0
          or (i.asked_minor in (0, c.amount_minor) and not exists (${endingsOf("c")})))
        and not exists (
          select from idempotency d where d.account_id = i.account_id and d.request_id = i.request_id
        )
      order by i.account_id, i.charge_id
      for no key update of c
    ), held as (
      update charge c set revision = c.revision + 1,
        returned_minor = c.returned_minor + case when f.is_release then 0 else f.amount_minor end
      from fresh f
      where c.account_id = f.account_id and c.charge_id = f.charge_id and f.amount_minor > 0
        and (f.is_release or c.returned_minor + f.amount_minor <= c.captured_minor)
      returning f.*
    ), claimed as (
      insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, client_key, create_time)
      select account_id, request_id, request_digest, return_id, public_request_id, client_key, create_time from held
    ), returned as (
      insert into charge_return (account_id, return_id, revision, charge_id, state, amount_minor, currency_code, reason,
        metadata, network_reference, is_release, request_id, create_time)
      select account_id, return_id, 1, charge_id, 'pending', amount_minor, currency_code, reason, metadata, '',
        is_release, request_id, create_time
      from held
      returning *
    ), attempted as (
      insert into attempt (account_id, attempt_id, kind, state, charge_id, return_id, payment_method_id, bank_ref,
        original_bank_ref, amount_minor, currency_code, fence, tries, bank, lease_end_time, resolve_time,
        authorization_code, network_reference, create_time)
      select account_id, attempt_id, case when is_release then 'reverse' else 'refund' end, 'pending', charge_id, return_id, payment_method_id, attempt_id,
        original_bank_ref, amount_minor, currency_code, 1, 0, bank,
        statement_timestamp() + ${LEASE_MS} * interval '1 ms', statement_timestamp() + ${LEASE_MS} * interval '1 ms',
        '', '', create_time
      from held
      returning *
    )
    select ${returnColumns}, ${besideReturn}
    from returned r
    join attempted t on t.account_id = r.account_id and t.return_id = r.return_id
    join payment_method p on p.account_id = t.account_id and p.payment_method_id = t.payment_method_id
    join account a on a.account_id = r.account_id`,
};

interface Command {
  readonly request: BeginReturnRequest;
  readonly cause: Cause;
}

/** Creates commit A of returns. */
export function createBeginReturn(
  dependencies: WriterDependencies,
): (request: BeginReturnRequest) => Promise<BegunReturn> {
  const submit = createBatcher<Command, BegunReturn | undefined>({
    keysOf: ({ request }) => [
      `request ${request.accountId} ${request.requestId}`,
      `charge ${request.accountId} ${request.chargeId}`,
    ],
    run: (commands) => run(dependencies, commands),
  });
  return async (request) => {
    try {
      return (await submit({ request, cause: currentCause() })) ?? (await explainReturn(dependencies, request));
    } catch (error) {
      // Lost a race, for the request id or for the one end of a hold: what won it is committed and can be read.
      if (!LOST_RACES.has(violatedConstraint(error))) throw error;
      return await explainReturn(dependencies, request);
    }
  };
}

async function run(
  { database }: WriterDependencies,
  commands: readonly Command[],
): Promise<(BegunReturn | undefined)[]> {
  const column = <Value>(of: (command: Command) => Value): Value[] => commands.map(of);
  const rows = await database.query<ReturnRow & AttemptRow>(BEGIN, [
    column(({ request }) => request.accountId),
    column(({ request }) => request.requestId),
    column(({ request }) => request.requestDigest),
    column(({ cause }) => cause.publicRequestId),
    column(({ request }) => request.returnId),
    column(({ request }) => request.chargeId),
    column(({ request }) => request.attemptId),
    column(({ request }) => request.amountMinor),
    column(({ request }) => request.reason),
    column(({ request }) => JSON.stringify(request.metadata)),
    column(({ cause }) => cause.clientKey),
  ]);
  const begun = new Map(rows.map((row) => [row.attempt_id, { record: returnOf(row), attempt: attemptOf(row) }]));
  return commands.map(({ request }) => begun.get(request.attemptId));
}
