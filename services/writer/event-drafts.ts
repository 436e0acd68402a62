import { equals } from "@bufbuild/protobuf";
import { type Snapshot, SnapshotSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import type { Query } from "../_database/connect.ts";
import { assert } from "../_runtime/errors.ts";
import type { EventType } from "../_runtime/event-types.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes } from "./answers.ts";
import { currentCause } from "./cause.ts";
import { dispatchTimeOf } from "./dispatch-time.ts";
import { type Nouns, snapshotOf } from "./snapshots.ts";

/** An event as the change that causes it knows it. */
export interface EventDraft {
  readonly type: EventType;
  readonly snapshot: Snapshot;
  /** The noun before the change, for a "….updated" event alone. */
  readonly previous?: Snapshot;
}

/** That something happened to a noun, which is so now. */
export function told<Case extends keyof Nouns>(type: EventType, noun: Case, value: Nouns[Case]): EventDraft {
  return { type, snapshot: snapshotOf(noun, value) };
}

/** That a noun was changed; nothing when it is as it was. */
export function changed<Case extends keyof Nouns>(
  type: EventType & `${string}.updated`,
  noun: Case,
  { before, after }: { before: Nouns[Case]; after: Nouns[Case] },
): EventDraft[] {
  const [previous, snapshot] = [snapshotOf(noun, before), snapshotOf(noun, after)];
  return equals(SnapshotSchema, previous, snapshot) ? [] : [{ type, snapshot, previous }];
}

/** Whether a change would leave a noun as it is: then it is not made, and not told of. */
export function isSame<Case extends keyof Nouns>(noun: Case, before: Nouns[Case], after: Nouns[Case]): boolean {
  return equals(SnapshotSchema, snapshotOf(noun, before), snapshotOf(noun, after));
}

/** Events as the columns of a statement: ids, types, the ids of the nouns, the nouns, the nouns before. */
export function columnsOf(events: readonly EventDraft[]) {
  return [
    events.map(() => createId("evt_")),
    events.map(({ type }) => type),
    events.map(({ snapshot }) => objectIdOf(snapshot)),
    events.map(({ snapshot }) => snapshotBytes(snapshot)),
    events.map(({ previous }) => (previous === undefined ? null : snapshotBytes(previous))),
  ] as const;
}

const TELL = {
  name: "tell",
  text: `insert into event (account_id, event_id, type, object_id, snapshot, previous, public_request_id, idempotency_key,
      create_time, dispatch_time)
    select $1, e.event_id, e.type, e.object_id, e.snapshot, e.previous, $3, $4, business_now($1, $2),
      ${dispatchTimeOf({ account: "$1", type: "e.type" })}
    from unnest($5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[])
      as e(event_id, type, object_id, snapshot, previous)`,
};

/** Tells what a change did that has no request id of its own, in that change's transaction, in its customer's time. */
export async function tell(
  query: Query,
  { accountId, customerId }: { accountId: string; customerId: string },
  events: readonly EventDraft[],
): Promise<void> {
  if (events.length === 0) return;
  const { publicRequestId, clientKey } = currentCause();
  await query(TELL, [accountId, customerId, publicRequestId, clientKey, ...columnsOf(events)]);
}

/** Each noun bears its own name in its id: chargeId, paymentMethodId. */
function objectIdOf({ noun }: Snapshot): string {
  assert(noun.case !== undefined, "an event tells of a noun");
  const id: unknown = Reflect.get(noun.value, `${noun.case}Id`);
  assert(typeof id === "string" && id !== "", "a noun has its id");
  return id;
}
