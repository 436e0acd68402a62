import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SnapshotSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import type { ListEventsRequestSchema } from "../../gen/tripe/reader/v1/events_pb.ts";
import { eventTypes } from "../_runtime/event-types.ts";
import { refusal, startTestReader } from "./testing.ts";

const { reader, accountId, liveAccountId, sql } = await startTestReader();

const START_MS = Date.UTC(2026, 2, 4);
const at = (seconds: number) => new Date(START_MS + seconds * 1_000);
const snapshot = (description: string) =>
  toBinary(
    SnapshotSchema,
    create(SnapshotSchema, { noun: { case: "charge", value: { chargeId: "ch_1", description } } }),
  );

interface Made {
  readonly id: string;
  readonly type: string;
  readonly seconds: number;
}

/** 60 events, three of each second, of types in turn; the ids do not rise with the times, as on a test clock. */
const made: readonly Made[] = Array.from({ length: 60 }, (_, index) => ({
  id: `evt_${String((index * 7) % 60).padStart(3, "0")}`,
  type: eventTypes[index % 5] ?? "",
  seconds: Math.floor(index / 3),
}));
await insert(accountId, made);
await insert(liveAccountId, [{ id: "evt_999", type: eventTypes[0], seconds: 0 }]);

async function insert(of: string, events: readonly Made[]): Promise<void> {
  await sql(
    `insert into event (account_id, event_id, type, object_id, snapshot, previous, public_request_id, idempotency_key,
        create_time)
      select $1, e.id, e.type, 'ch_1', $2, case when e.type like '%.updated' then $3::bytea end, 'req_1', 'K', e.time
      from unnest($4::text[], $5::text[], $6::timestamptz[]) as e(id, type, time)`,
    of,
    snapshot("now"),
    snapshot("then"),
    events.map(({ id }) => id),
    events.map(({ type }) => type),
    events.map(({ seconds }) => at(seconds)),
  );
}

/** What became of each: the first of every seven is not taken up yet, two of the others went well. */
const FATES = ["none", "delivered", "due", "dead", "disabled"];
const fateOf = ({ id }: Made) => (Number(id.slice(4)) % 7 === 0 ? "new" : FATES[Number(id.slice(4)) % 5]);
const isDeliveredOf = (one: Made) => ["none", "delivered", "disabled"].includes(fateOf(one) ?? "");
const idsOf = (...fates: string[]) => made.filter((one) => fates.includes(fateOf(one) ?? "")).map(({ id }) => id);
await sql("update event set dispatch_time = create_time where event_id = any($1)", idsOf(...FATES));
await sql(
  `insert into webhook_endpoint (account_id, webhook_endpoint_id, url, event_types, description, metadata, match_time, create_time)
    values ($1, 'we_1', 'https://example.com', '{*}', '', '{}', statement_timestamp(), statement_timestamp())`,
  accountId,
);
for (const state of ["delivered", "due", "dead", "disabled"]) {
  await sql(
    `insert into delivery (account_id, event_id, webhook_endpoint_id, state, turn, rung, due_time, create_time)
      select $1, e.id, 'we_1', $3, 1, 0, case when $3 = 'due' then statement_timestamp() end, statement_timestamp() from unnest($2::text[]) as e(id)`,
    ...[accountId, idsOf(state), state],
  );
}

const newestFirst = (one: Made, other: Made) => other.seconds - one.seconds || (one.id < other.id ? 1 : -1);

/** Walks all pages of a list, either way; answers with the ids, newest first. */
async function walk(asked: Omit<MessageInitShape<typeof ListEventsRequestSchema>, "$typeName">): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = "";
  do {
    const page = await reader.listEvents({ ...asked, accountId, pageToken });
    const found = page.events.map(({ eventId }) => eventId);
    if (asked.isBackward === true) ids.unshift(...found);
    else ids.push(...found);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return ids;
}

test("listEvents without a filter lists all of an account's, by their ids", async () => {
  const ids = made
    .map(({ id }) => id)
    .sort()
    .reverse();
  expect(await walk({ pageSize: 7 })).toEqual(ids);
  expect(await walk({ pageSize: 7, isBackward: true })).toEqual(ids);
});

test("listEvents gives each event of the types and the range once, in order, in pages of any size, either way", async () => {
  const asked = fc.record({
    types: fc.subarray([...eventTypes.slice(0, 6)]),
    isDelivered: fc.option(fc.boolean()),
    from: fc.option(fc.nat(22)),
    until: fc.option(fc.nat(22)),
    pageSize: fc.integer({ min: 1, max: 30 }),
    isBackward: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(asked, async ({ types, isDelivered, from, until, pageSize, isBackward }) => {
      fc.pre(types.length > 0 || isDelivered !== null || from !== null || until !== null);
      const wanted = made
        .filter(({ type }) => types.length === 0 || types.some((one) => one === type))
        .filter((one) => isDelivered === null || isDeliveredOf(one) === isDelivered)
        .filter(({ seconds }) => seconds >= (from ?? 0) && seconds < (until ?? 100))
        .sort(newestFirst);
      const createTimeRange = {
        ...(from !== null && { startTime: timestampFromDate(at(from)) }),
        ...(until !== null && { endTime: timestampFromDate(at(until)) }),
      };
      const range = from === null && until === null ? {} : { createTimeRange };
      const delivered = isDelivered === null ? {} : { isDelivered };
      expect(await walk({ types, pageSize, isBackward, ...range, ...delivered })).toEqual(wanted.map(({ id }) => id));
    }),
    { numRuns: 80 },
  );
});

test("an event comes with what was before, when it tells of an update", async () => {
  const [updated] = made.filter(({ type }) => type.endsWith(".updated"));
  const { event } = await reader.getEvent({ accountId, eventId: updated?.id ?? "" });
  expect(event).toMatchObject({
    snapshot: { noun: { value: { description: "now" } } },
    previous: { noun: { value: { description: "then" } } },
  });
  const { event: other } = await reader.getEvent({ accountId, eventId: "evt_000" });
  expect([other?.requestId, other?.idempotencyKey, other?.previous]).toEqual(["req_1", "K", undefined]);
});

test("another account's event is not there, neither to be read nor as a cursor", async () => {
  expect((await refusal(reader.getEvent({ accountId, eventId: "evt_999" })))?.reason).toBe("EVENT_NOT_FOUND");
  const types = [eventTypes[0]];
  const after = reader.listEvents({ accountId, types, pageToken: "evt_999" });
  expect((await refusal(after))?.reason).toBe("EVENT_NOT_FOUND");
});
