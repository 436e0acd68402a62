import { Code } from "@connectrpc/connect";
import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Return } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { BeginReturnRequest } from "../../gen/tripe/writer/v1/returns_pb.ts";
import { type Query, violatedConstraint } from "../_database/connect.ts";
import { type AttemptRow, attemptOf } from "../_database/rows/attempt.ts";
import { type ReturnRow, returnColumns, returnOf } from "../_database/rows/return.ts";
import { refuse } from "../_runtime/errors.ts";
import { findStored, type WriterDependencies, waitForAnswer } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { LEASE_MS } from "./lease.ts";
import { publicRequestId } from "./once.ts";
import { nounOf } from "./snapshots.ts";

/** A return, begun; without an attempt when an equal request had begun it. */
export interface BegunReturn {
  readonly record: Return;
  readonly attempt?: Attempt;
}

/**
 * One row for each command that may go ahead. The limit is one conditional update under the charge's lock: returned + x is
 * never above captured. An amount of 0 is all that is left.
 */
const BEGIN = {
  name: "begin_return",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::text[], $10::jsonb[])
      as t(account_id, request_id, request_digest, public_request_id, return_id, charge_id, attempt_id, asked_minor,
        reason, metadata)
    ), fresh as (
      select i.*, c.currency_code, c.payment_method_id, o.bank_ref as original_bank_ref, o.bank,
        business_now(c.account_id, c.customer_id) as create_time,
        case when i.asked_minor = 0 then c.captured_minor - c.returned_minor else i.asked_minor end as amount_minor
      from input i
      join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      join attempt o on o.account_id = c.account_id and o.charge_id = c.charge_id and o.kind = 'purchase'
      where c.state = 'succeeded'
        and not exists (
          select from idempotency d where d.account_id = i.account_id and d.request_id = i.request_id
        )
      order by i.account_id, i.charge_id
      for update of c
    ), held as (
      update charge c set returned_minor = c.returned_minor + f.amount_minor, revision = c.revision + 1
      from fresh f
      where c.account_id = f.account_id and c.charge_id = f.charge_id and f.amount_minor > 0
        and c.returned_minor + f.amount_minor <= c.captured_minor
      returning f.*
    ), claimed as (
      insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, create_time)
      select account_id, request_id, request_digest, return_id, public_request_id, create_time from held
    ), returned as (
      insert into charge_return (account_id, return_id, revision, charge_id, state, amount_minor, currency_code, reason,
        metadata, network_reference, request_id, create_time)
      select account_id, return_id, 1, charge_id, 'pending', amount_minor, currency_code, reason, metadata, '',
        request_id, create_time
      from held
      returning *
    ), attempted as (
      insert into attempt (account_id, attempt_id, kind, state, charge_id, return_id, payment_method_id, bank_ref,
        original_bank_ref, amount_minor, currency_code, fence, tries, bank, lease_end_time, resolve_time,
        authorization_code, network_reference, create_time)
      select account_id, attempt_id, 'refund', 'pending', charge_id, return_id, payment_method_id, attempt_id,
        original_bank_ref, amount_minor, currency_code, 1, 0, bank,
        statement_timestamp() + ${LEASE_MS} * interval '1 ms', statement_timestamp() + ${LEASE_MS} * interval '1 ms',
        '', '', create_time
      from held
      returning *
    )
    select ${returnColumns}, t.account_id, t.attempt_id, t.kind, t.payment_method_id, t.bank_ref, t.original_bank_ref,
      t.fence, t.tries, t.bank, t.lease_end_time, p.sealed_card
    from returned r
    join attempted t on t.account_id = r.account_id and t.return_id = r.return_id
    join payment_method p on p.account_id = t.account_id and p.payment_method_id = t.payment_method_id
    join account a on a.account_id = r.account_id`,
};

interface Command {
  readonly request: BeginReturnRequest;
  readonly publicRequestId: string;
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
      return (await submit({ request, publicRequestId: publicRequestId() })) ?? (await explain(dependencies, request));
    } catch (error) {
      // Lost a race for the request id: what won it is committed and can be read.
      if (violatedConstraint(error) !== "idempotency_pkey") throw error;
      return await explain(dependencies, request);
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
    column((command) => command.publicRequestId),
    column(({ request }) => request.returnId),
    column(({ request }) => request.chargeId),
    column(({ request }) => request.attemptId),
    column(({ request }) => request.amountMinor),
    column(({ request }) => request.reason),
    column(({ request }) => JSON.stringify(request.metadata)),
  ]);
  const begun = new Map(rows.map((row) => [row.attempt_id, { record: returnOf(row), attempt: attemptOf(row) }]));
  return commands.map(({ request }) => begun.get(request.attemptId));
}

const LOOK = {
  name: "look_at_return",
  text: `select ${returnColumns},
      t.lease_end_time is not null and t.lease_end_time > statement_timestamp() as is_running
    from charge_return r join account a using (account_id)
    left join attempt t on t.account_id = r.account_id and t.return_id = r.return_id and t.state = 'pending'
    where r.account_id = $1 and r.return_id = $2`,
};

/** Says why a return was not begun: an equal request had begun it (its return is the answer), or a refusal. */
async function explain({ database, clock }: WriterDependencies, request: BeginReturnRequest): Promise<BegunReturn> {
  const stored = await findStored(database.query, request);
  if (stored === undefined) return refuseToBegin(database.query, request);
  return waitForAnswer(clock, async () => {
    const now = await findStored(database.query, request);
    if (now?.answer !== undefined) return { record: nounOf(now.answer, "return") };
    const [row] = await database.query<ReturnRow & { is_running: boolean }>(LOOK, [request.accountId, stored.nounId]);
    return row === undefined || row.is_running ? undefined : { record: returnOf(row) };
  });
}

const WHY = {
  name: "why_no_return",
  text: `select state, captured_minor, returned_minor from charge where account_id = $1 and charge_id = $2`,
};

interface WhyRow {
  readonly state: string;
  readonly captured_minor: bigint;
  readonly returned_minor: bigint;
}

async function refuseToBegin(query: Query, { accountId, chargeId, amountMinor }: BeginReturnRequest): Promise<never> {
  const [why] = await query<WhyRow>(WHY, [accountId, chargeId]);
  if (why === undefined) refuse(Code.NotFound, "CHARGE_NOT_FOUND", `no charge ${chargeId}`, "charge_id");
  const no = (reason: string, message: string, field: string) =>
    refuse(Code.FailedPrecondition, reason, message, field);
  if (why.state !== "succeeded") {
    return no("CHARGE_NOT_SUCCEEDED", `the charge ${chargeId} has not succeeded`, "charge_id");
  }
  const leftMinor = why.captured_minor - why.returned_minor;
  if (leftMinor === 0n)
    return no("CHARGE_ALREADY_RETURNED", `the charge ${chargeId} was returned already`, "charge_id");
  if (amountMinor > leftMinor) {
    return no("RETURN_EXCEEDS_CHARGE", `${leftMinor} is left of ${chargeId}`, "amount_minor");
  }
  // Between the two statements a return failed and gave its amount back: the same request may now succeed.
  return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${chargeId} keeps changing`);
}
