import { create, fromBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema, SnapshotSchema } from "../../../gen/tripe/billing/v1/event_pb.ts";
import { timestampOf } from "./fields.ts";

/** The columns of an event, from `event e` and `account a`. */
export const eventColumns = `e.event_id, e.type, e.snapshot, e.previous, e.public_request_id, e.idempotency_key, e.create_time,
  a.is_live`;

/** A row of `eventColumns`. */
export interface EventRow {
  readonly event_id: string;
  readonly type: string;
  readonly snapshot: Buffer;
  readonly previous: Buffer | null;
  readonly public_request_id: string;
  readonly idempotency_key: string;
  readonly create_time: Date;
  readonly is_live: boolean;
}

/** The event of a row. */
export function eventOf(row: EventRow): Event {
  return create(EventSchema, {
    eventId: row.event_id,
    type: row.type,
    snapshot: fromBinary(SnapshotSchema, row.snapshot),
    ...(row.previous !== null && { previous: fromBinary(SnapshotSchema, row.previous) }),
    requestId: row.public_request_id,
    idempotencyKey: row.idempotency_key,
    createTime: timestampOf(row.create_time),
    isLive: row.is_live,
  });
}
