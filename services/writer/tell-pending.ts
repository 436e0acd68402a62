import type { Query } from "../_database/connect.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { type ReturnRow, returnColumns, returnOf } from "../_database/rows/return.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes } from "./answers.ts";
import { dispatchTimeOf } from "./dispatch-time.ts";
import { type EventDraft, told } from "./event-drafts.ts";

/** Which attempt. */
interface AttemptKey {
  readonly accountId: string;
  readonly attemptId: string;
}

const READ_CHARGE = {
  name: "read_pending_charge",
  text: `select ${chargeColumns}, c.revision, t.return_id
    from attempt t join charge c on c.account_id = t.account_id and c.charge_id = t.charge_id ${chargeJoins}
    where t.account_id = $1 and t.attempt_id = $2`,
};

const READ_RETURN = {
  name: "read_pending_return",
  text: `select ${returnColumns} from charge_return r join account a using (account_id)
    where r.account_id = $1 and r.return_id = $2`,
};

/**
 * Once an attempt, and never after its end: the settlement sees under the attempt's lock whether it was told. Of a charge whose
 * words changed since it was read nothing is told now: the next postponement tells.
 */
const TELL = {
  name: "tell_of_pending",
  text: `with marked as (
      update attempt t set tell_time = statement_timestamp()
      from charge c
      where t.account_id = $1 and t.attempt_id = $2 and t.outcome is null and t.state = 'pending' and t.tell_time is null
        and c.account_id = t.account_id and c.charge_id = t.charge_id and c.revision = $3
      returning t.account_id, t.return_id, c.request_id, c.customer_id
    )
    insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time,
      dispatch_time)
    select m.account_id, $4, $5, $6, $7, d.public_request_id, d.client_key, business_now(m.account_id, m.customer_id),
      ${dispatchTimeOf({ account: "m.account_id", type: "$5::text" })}
    from marked m left join charge_return r on r.account_id = m.account_id and r.return_id = m.return_id
    join idempotency d on d.account_id = m.account_id and d.request_id = coalesce(r.request_id, m.request_id)`,
};

/**
 * Tells of a charge, or a return, whose end is not known in time: "charge.pending", and "refund.created" with the status
 * pending, which Stripe sends when such a thing is created. Commit A tells nothing: most ends are known before anybody could
 * have heard of the beginning.
 */
export async function tellPending(query: Query, { accountId, attemptId }: AttemptKey): Promise<void> {
  const [row] = await query<ChargeRow & { revision: number; return_id: string | null }>(READ_CHARGE, [
    accountId,
    attemptId,
  ]);
  if (row === undefined) return;
  const { type, snapshot } = await draftOf(query, accountId, row);
  const objectId = row.return_id ?? row.charge_id;
  const values = [accountId, attemptId, row.revision, createId("evt_"), type, objectId, snapshotBytes(snapshot)];
  await query(TELL, values);
}

async function draftOf(
  query: Query,
  accountId: string,
  row: ChargeRow & { return_id: string | null },
): Promise<EventDraft> {
  if (row.return_id === null) return told("charge.pending", "charge", chargeOf(row));
  const [record] = await query<ReturnRow>(READ_RETURN, [accountId, row.return_id]);
  if (record === undefined) throw new Error(`the attempt's return ${row.return_id} is not there`);
  return told("refund.created", "return", returnOf(record));
}
