import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  DeliveryOutcome,
  type DeliveryTry,
  type RecordDeliveriesRequest,
} from "../../gen/tripe/writer/v1/deliveries_pb.ts";
import type { Query } from "../_database/connect.ts";
import { assert } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { type EndpointKey, stopDeliveries } from "./webhook-endpoints.ts";

/** In one order, so that two that record at once wait for each other and never in a ring. */
const LOCK = {
  name: "lock_webhook_endpoints",
  text: `select w.account_id, w.webhook_endpoint_id, w.fail_time <= statement_timestamp() - make_interval(secs => $3) as is_failing_long
    from webhook_endpoint w
    where (w.account_id, w.webhook_endpoint_id) in (select * from unnest($1::text[], $2::text[]))
    order by w.account_id, w.webhook_endpoint_id for no key update`,
};

const RECORD = {
  name: "record_deliveries",
  text: `update delivery d set state = i.state,
      status = case when i.is_tried then i.status else d.status end, problem = case when i.is_tried then i.problem else d.problem end,
      try_time = case when i.is_tried then statement_timestamp() else d.try_time end,
      body = case when d.body is null and length(i.body) > 0 then i.body else d.body end,
      rung = d.rung + case when i.is_tried and i.state <> 'delivered' then 1 else 0 end,
      lease_count = case when i.is_tried then 0 else d.lease_count end,
      due_time = case when i.state = 'due' then statement_timestamp() + make_interval(secs => i.wait) end
    from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::float8[], $7::int[], $8::text[], $9::bytea[],
      $10::boolean[]) as i(account_id, event_id, webhook_endpoint_id, turn, state, wait, status, problem, body, is_tried)
    where d.account_id = i.account_id and d.event_id = i.event_id and d.webhook_endpoint_id = i.webhook_endpoint_id
      and d.turn = i.turn and d.state = 'due'
    returning d.account_id, d.event_id, d.webhook_endpoint_id`,
};

/** $3 and $4 count tries; $5 says what becomes of `fail_time`; without a problem the last failure stays. */
const COUNT = {
  name: "count_tries_of_endpoint",
  text: `update webhook_endpoint set delivered_count = delivered_count + $3, failed_count = failed_count + $4,
      fail_time = case $5 when 'reached' then null when 'failed' then coalesce(fail_time, statement_timestamp()) else fail_time end,
      last_failure_time = case when $7 = '' then last_failure_time else statement_timestamp() end,
      last_failure_status = case when $7 = '' then last_failure_status else $6 end,
      last_failure_problem = case when $7 = '' then last_failure_problem else $7 end
    where account_id = $1 and webhook_endpoint_id = $2`,
};

/** Its account is mailed of it, once for each time. */
const DISABLE = {
  name: "disable_webhook_endpoint",
  text: `with disabled as (
      update webhook_endpoint set disable_reason = $3, disable_time = statement_timestamp()
      where account_id = $1 and webhook_endpoint_id = $2 and disable_time is null
      returning account_id, webhook_endpoint_id, disable_time
    )
    insert into mail (account_id, mail_id, kind, object_id, state, tries, due_time, create_time)
    select account_id, webhook_endpoint_id || '/disabled/' || floor(extract(epoch from disable_time) * 1000)::bigint,
      'disabled_endpoint', webhook_endpoint_id, 'due', 0, statement_timestamp(), disable_time from disabled`,
};

// A try that says nothing of what it came to is not made again by itself.
const stateAfter: Readonly<Record<DeliveryOutcome, string>> = {
  [DeliveryOutcome.UNSPECIFIED]: "dead",
  [DeliveryOutcome.DELIVERED]: "delivered",
  [DeliveryOutcome.POSTPONED]: "due",
  [DeliveryOutcome.DEAD]: "dead",
  [DeliveryOutcome.GONE]: "disabled",
  [DeliveryOutcome.DISABLED]: "disabled",
  // The merchant mends the address and enables the endpoint, which revives it.
  [DeliveryOutcome.REFUSED]: "disabled",
  [DeliveryOutcome.UNTRIED]: "due",
};

interface EndpointState {
  readonly account_id: string;
  readonly webhook_endpoint_id: string;
  readonly is_failing_long: boolean | null;
}

interface RecordedRow {
  readonly account_id: string;
  readonly event_id: string;
  readonly webhook_endpoint_id: string;
}

/**
 * Records tries, and what follows for their endpoints, which count them and keep the last failure: one that answered 410 is
 * disabled, and so are one whose address Tripe does not call, and one that has failed for as long as `disable_after`; what is
 * due to it ends, and its account is mailed. A try of a turn that is over is left out.
 */
export async function recordDeliveries({ database }: WriterDependencies, request: RecordDeliveriesRequest) {
  const { tries, disableAfter } = request;
  assert(disableAfter !== undefined, "validation requires the time");
  return database.transaction(async (query) => {
    const endpoints = await query<EndpointState>(LOCK, [
      tries.map((one) => one.delivery?.accountId),
      tries.map((one) => one.delivery?.webhookEndpointId),
      durationMs(disableAfter) / 1_000,
    ]);
    const recorded = await query<RecordedRow>(RECORD, valuesOf(tries));
    const names = new Set(recorded.map((row) => nameOf(row.account_id, row.webhook_endpoint_id, row.event_id)));
    const fresh = tries.filter(({ delivery }) =>
      names.has(nameOf(delivery?.accountId, delivery?.webhookEndpointId, delivery?.eventId)),
    );
    for (const endpoint of endpoints) {
      const ofEndpoint = fresh.filter(
        ({ delivery }) =>
          delivery?.accountId === endpoint.account_id && delivery.webhookEndpointId === endpoint.webhook_endpoint_id,
      );
      await judge(query, endpoint, ofEndpoint);
    }
    return { recordedCount: recorded.length };
  });
}

async function judge(query: Query, endpoint: EndpointState, tries: readonly DeliveryTry[]): Promise<void> {
  const { DEAD, DELIVERED, GONE, POSTPONED, REFUSED } = DeliveryOutcome;
  const key = { accountId: endpoint.account_id, webhookEndpointId: endpoint.webhook_endpoint_id };
  const outcomes = new Set(tries.map(({ outcome }) => outcome));
  const delivered = tries.filter(({ outcome }) => outcome === DELIVERED);
  const failures: readonly DeliveryOutcome[] = [DEAD, GONE, POSTPONED, REFUSED];
  const failed = tries.filter(({ outcome }) => failures.includes(outcome));
  if (delivered.length + failed.length === 0) return;
  const { status = 0, problem = "" } = failed.at(-1) ?? {};
  const words = failed.length > 0 && problem === "" ? "no reason was given" : problem;
  const change = delivered.length > 0 ? "reached" : "failed";
  const counts = [delivered.length, failed.length, change, status, words];
  await query(COUNT, [key.accountId, key.webhookEndpointId, ...counts]);
  if (outcomes.has(GONE)) return disable(query, key, "gone");
  if (outcomes.has(REFUSED)) return disable(query, key, "refused");
  if (delivered.length === 0 && endpoint.is_failing_long === true) await disable(query, key, "failing");
}

async function disable(query: Query, key: EndpointKey, reason: "failing" | "gone" | "refused"): Promise<void> {
  await query(DISABLE, [key.accountId, key.webhookEndpointId, reason]);
  await stopDeliveries(query, key);
}

function valuesOf(tries: readonly DeliveryTry[]): unknown[] {
  return [
    tries.map(({ delivery }) => delivery?.accountId),
    tries.map(({ delivery }) => delivery?.eventId),
    tries.map(({ delivery }) => delivery?.webhookEndpointId),
    tries.map(({ delivery }) => delivery?.turn),
    tries.map(({ outcome }) => stateAfter[outcome]),
    tries.map(({ wait }) => (wait === undefined ? 0 : durationMs(wait) / 1_000)),
    tries.map(({ status }) => status),
    tries.map(({ problem }) => problem),
    tries.map(({ body }) => body),
    tries.map(({ outcome }) => outcome !== DeliveryOutcome.UNTRIED),
  ];
}

function nameOf(...ids: readonly (string | undefined)[]): string {
  return ids.join(" ");
}
