import type { BeginCaptureRequest } from "../../gen/tripe/writer/v1/captures_pb.ts";
import { violatedConstraint } from "../_database/connect.ts";
import { chargeColumns, chargeJoins } from "../_database/rows/charge.ts";
import type { WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { isTooSmall } from "./capture-minimum.ts";
import { type Cause, currentCause } from "./cause.ts";
import { type BegunCapture, type CapturingRow, capturingOf, explainCapture, isUneven } from "./explain-capture.ts";
import { besideCharge } from "./explain-charge.ts";
import { endingsOf, LOST_RACES } from "./hold-endings.ts";
import { LEASE_MS } from "./lease.ts";

/**
 * One row for each command that may go ahead, judged under the charge's lock: held, within its time and its amount, and
 * with nothing that ends it otherwise. An attempt begun since the statement's snapshot is seen by the index
 * `attempt_ending` alone. An amount of 0 is all that is held.
 */
const BEGIN = {
  name: "begin_capture",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
      as t(account_id, request_id, request_digest, public_request_id, charge_id, attempt_id, asked_minor, client_key)
    ), fresh as (
      select i.*, c.currency_code, c.payment_method_id, o.bank_ref as original_bank_ref, o.bank,
        business_now(c.account_id, c.customer_id) as create_time,
        case when i.asked_minor = 0 then c.amount_minor else i.asked_minor end as amount_minor
      from input i
      join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      join attempt o on o.account_id = c.account_id and o.charge_id = c.charge_id and o.kind = 'authorize'
      where c.is_held and c.state = 'succeeded' and c.captured_minor = 0 and c.release_time is null
        and i.asked_minor <= c.amount_minor and not (${isUneven("i.asked_minor")})
        and not (${isTooSmall("i.asked_minor")})
        and c.capture_before_time > business_now(c.account_id, c.customer_id)
        and not exists (${endingsOf("c")})
        and not exists (
          select from idempotency d where d.account_id = i.account_id and d.request_id = i.request_id
        )
      order by i.account_id, i.charge_id
      for no key update of c
    ), claimed as (
      insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, client_key, create_time)
      select account_id, request_id, request_digest, charge_id, public_request_id, client_key, create_time from fresh
    ), attempted as (
      insert into attempt (account_id, attempt_id, kind, state, charge_id, payment_method_id, bank_ref,
        original_bank_ref, amount_minor, currency_code, fence, tries, bank, lease_end_time, resolve_time,
        authorization_code, network_reference, request_id, create_time)
      select account_id, attempt_id, 'capture', 'pending', charge_id, payment_method_id, attempt_id, original_bank_ref,
        amount_minor, currency_code, 1, 0, bank, statement_timestamp() + ${LEASE_MS} * interval '1 ms',
        statement_timestamp() + ${LEASE_MS} * interval '1 ms', '', '', request_id, create_time
      from fresh
      returning *
    )
    select ${chargeColumns}, ${besideCharge}, t.amount_minor as attempt_minor
    from attempted t join charge c on c.account_id = t.account_id and c.charge_id = t.charge_id ${chargeJoins}`,
};

/** How long a capture waits for another end of its hold that is at the bank: as long as a request for its like. */
const WAIT_MS = 2_000;

/** A capture takes two flushes and a bank: some ten looks in the time of a slow one. */
const LOOK_EVERY_MS = 50;

interface Command {
  readonly request: BeginCaptureRequest;
  readonly cause: Cause;
}

/** Creates commit A of captures. */
export function createBeginCapture(
  dependencies: WriterDependencies,
): (request: BeginCaptureRequest) => Promise<BegunCapture> {
  const { clock } = dependencies;
  const submit = createBatcher<Command, BegunCapture | undefined>({
    keysOf: ({ request }) => [
      `request ${request.accountId} ${request.requestId}`,
      `charge ${request.accountId} ${request.chargeId}`,
    ],
    run: (commands) => run(dependencies, commands),
  });
  const begin = async (request: BeginCaptureRequest) => {
    try {
      return await submit({ request, cause: currentCause() });
    } catch (error) {
      // What won the race is committed and can be read.
      if (!LOST_RACES.has(violatedConstraint(error))) throw error;
      return undefined;
    }
  };
  return async (request) => {
    const endMs = clock.preciseMs() + WAIT_MS;
    for (;;) {
      const isLast = clock.preciseMs() >= endMs;
      const begun = (await begin(request)) ?? (await explainCapture(dependencies, request, isLast));
      if (begun !== undefined) return begun;
      await clock.sleep(LOOK_EVERY_MS);
    }
  };
}

async function run(
  { database }: WriterDependencies,
  commands: readonly Command[],
): Promise<(BegunCapture | undefined)[]> {
  const column = <Value>(of: (command: Command) => Value): Value[] => commands.map(of);
  const rows = await database.query<CapturingRow>(BEGIN, [
    column(({ request }) => request.accountId),
    column(({ request }) => request.requestId),
    column(({ request }) => request.requestDigest),
    column(({ cause }) => cause.publicRequestId),
    column(({ request }) => request.chargeId),
    column(({ request }) => request.attemptId),
    column(({ request }) => request.amountMinor),
    column(({ cause }) => cause.clientKey),
  ]);
  const begun = new Map(rows.map((row) => [row.attempt_id, capturingOf(row)]));
  return commands.map(({ request }) => begun.get(request.attemptId));
}
