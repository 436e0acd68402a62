import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Charge, ChargeSchema, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { GiveUpAttemptRequest } from "../../gen/tripe/writer/v1/attempts_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { createId } from "../_runtime/ids.ts";
import { raiseAlertOnce } from "./alerts.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { declineOfNoBank } from "./outcomes.ts";
import { snapshotOf } from "./snapshots.ts";

/** The charge of an attempt that is pending and leased under this fence, locked as a settlement locks it: before the attempt. */
const LOCK_CHARGE = {
  name: "lock_charge_to_give_up",
  text: `select ${chargeColumns}, t.kind, t.is_automatic, business_now(c.account_id, c.customer_id) as business_time
    from attempt t join charge c on c.account_id = t.account_id and c.charge_id = t.charge_id ${chargeJoins}
    where t.account_id = $1 and t.attempt_id = $2 and t.fence = $3 and t.state = 'pending'
    for no key update of c`,
};

/** The lock above was waited for: the attempt may have ended meanwhile, so it is asked again. */
const POSTPONE = {
  name: "postpone_given_up",
  text: `update attempt set state = $4, lease_end_time = null,
      resolve_time = statement_timestamp() + $5 * interval '1 ms'
    where account_id = $1 and attempt_id = $2 and fence = $3 and state = 'pending'
    returning attempt_id`,
};

const FAIL = {
  name: "fail_given_up_charge",
  text: `with failed as (
      update charge set revision = revision + 1, state = 'failed', decline_reason = $3, settle_time = $4
      where account_id = $1 and charge_id = $2 and state = 'pending'
      returning account_id, charge_id, request_id
    ), answered as (
      update idempotency d set answer = $5, finish_time = $4
      from failed f where d.account_id = f.account_id and d.request_id = f.request_id
      returning d.public_request_id, d.client_key
    )
    insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time)
    select $1, $6, 'charge.failed', $2, $5, public_request_id, client_key, $4 from answered`,
};

/** The kinds of an attempt that a charge stands or falls with. */
const FIRST_KINDS: readonly string[] = ["purchase", "authorize"];

interface LockedRow extends ChargeRow {
  readonly kind: string;
  readonly is_automatic: boolean;
  readonly business_time: Date;
}

/**
 * Gives up to find out what became of an attempt. A charge fails, for want of an answer, and a person is called; what the
 * bank says later is booked by `settleLateAttempt`. A return, a capture or a reversal is never given up, since nobody can
 * be told that it failed: a person is called once, and it stays pending. Nothing happens for a fence that is not the newest.
 */
export async function giveUpAttempt({ database }: WriterDependencies, request: GiveUpAttemptRequest) {
  const { accountId, attemptId, fence, delayMs } = request;
  return database.transaction(async (query) => {
    const [row] = await query<LockedRow>(LOCK_CHARGE, [accountId, attemptId, fence]);
    if (row === undefined) return { isGivenUp: false };
    const isFirst = FIRST_KINDS.includes(row.kind);
    const state = isFirst ? "given_up" : "pending";
    const ended = await query(POSTPONE, [accountId, attemptId, fence, state, delayMs]);
    if (ended.length === 0) return { isGivenUp: false };
    if (isFirst) await failCharge(query, accountId, row);
    await callPerson(query, request, isFirst ? "ATTEMPT_GIVEN_UP" : "ATTEMPT_OVERDUE");
    return { isGivenUp: true };
  });
}

async function failCharge(query: Query, accountId: string, row: LockedRow): Promise<void> {
  const decline = declineOfNoBank();
  const charge: Charge = create(ChargeSchema, {
    ...chargeOf(row),
    state: ChargeState.FAILED,
    decline,
    settleTime: timestampFromDate(row.business_time),
  });
  const snapshot = snapshotBytes(snapshotOf("charge", charge));
  const eventId = createId("evt_");
  await query(FAIL, [accountId, row.charge_id, decline.reason, row.business_time, snapshot, eventId]);
}

async function callPerson(query: Query, request: GiveUpAttemptRequest, reason: string): Promise<void> {
  const { accountId, attemptId } = request;
  await raiseAlertOnce(query, { accountId, reason, objectId: attemptId, details: {} });
}
