import { fromBinary } from "@bufbuild/protobuf";
import { type Snapshot as NounSnapshot, SnapshotSchema } from "../../../gen/tripe/billing/v1/event_pb.ts";
import { type Check, createTally, type Offending } from "../check.ts";
import type { Snapshot } from "../snapshot.ts";

interface KeptRow {
  readonly account_id: string;
  readonly place: string;
  readonly id: string;
  readonly noun_id: string;
  readonly snapshot: Buffer;
}

const KEPT = `
  select account_id, 'event' as place, event_id as id, object_id as noun_id, snapshot from event
  union all
  select account_id, 'event before', event_id, object_id, previous from event where previous is not null
  union all
  select account_id, 'idempotency', request_id, noun_id, answer from idempotency where answer is not null`;

/** What is kept as bytes reads as the noun that its row names: a replayed answer and a webhook tell of the right thing. */
export const snapshotCheck: Check = {
  name: "snapshots-read",
  sentence: "Every stored answer and every event holds the noun that its row names.",
  find: findUnreadable,
};

async function findUnreadable({ stream }: Snapshot): Promise<Offending> {
  const tally = createTally();
  for await (const rows of stream<KeptRow>(KEPT)) {
    for (const { snapshot, ...row } of rows) {
      const id = readId(snapshot);
      if (id !== row.noun_id) tally.add({ ...row, holds: id ?? "no noun that can be read" });
    }
  }
  return tally.total();
}

/** The noun's own id, whatever noun it is; undefined when the bytes are no snapshot. */
function readId(bytes: Uint8Array): string | undefined {
  const noun = parse(bytes)?.noun;
  if (noun?.case === undefined) return undefined;
  // Each noun bears its own name in its id: charge_id, payment_method_id.
  const id: unknown = Reflect.get(noun.value, `${noun.case}Id`);
  return typeof id === "string" ? id : undefined;
}

function parse(bytes: Uint8Array): NounSnapshot | undefined {
  try {
    return fromBinary(SnapshotSchema, bytes);
  } catch {
    return undefined;
  }
}
