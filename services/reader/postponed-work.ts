import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type ListDeadWorkRequest, PostponedWork } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import type { Query } from "../_database/connect.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { waitingAccounts } from "../_database/waiting-accounts.ts";
import { timeOfId } from "../_runtime/ids.ts";

// An event may bear the time of a test clock; its id bears the machine's.
const OLDEST_EVENT = {
  name: "oldest_event",
  text: `${waitingAccounts("event", "dispatch_time is null")}
    select (select e.event_id from event e where e.account_id = w.account_id and e.dispatch_time is null
      order by e.event_id limit 1) as event_id
    from waiting w`,
};

/** By the same steps as the lease (the writer's lease-deliveries.ts): one for each endpoint that has something due. */
export const OLDEST_DELIVERY = {
  name: "oldest_delivery",
  text: `with recursive next as (
      (select account_id, webhook_endpoint_id, due_time from delivery where state = 'due'
        order by account_id, webhook_endpoint_id, due_time limit 1)
      union all
      select d.account_id, d.webhook_endpoint_id, d.due_time from next n cross join lateral (
        select account_id, webhook_endpoint_id, due_time from delivery
        where state = 'due' and (account_id, webhook_endpoint_id) > (n.account_id, n.webhook_endpoint_id)
        order by account_id, webhook_endpoint_id, due_time limit 1
      ) d
    )
    select min(due_time) as due_time from next where due_time <= statement_timestamp()`,
};

const OLDEST_MAIL = {
  name: "oldest_mail",
  text: `${waitingAccounts("mail", "state = 'due'")}
    select min(due_time) as due_time from (
      select (select m.due_time from mail m where m.account_id = w.account_id and m.state = 'due'
        order by m.due_time limit 1) as due_time
      from waiting w
    ) oldest where due_time <= statement_timestamp()`,
};

/** Of the dead deliveries those that a redrive takes (the writer's deliveries.ts): the others' endpoints hear of nothing. */
const COUNT = {
  name: "count_postponed_work",
  text: `select 'deliveries' as work, count(*) filter (where d.state = 'due') as due_count,
      count(*) filter (where d.state = 'dead') as dead_count
    from delivery d join webhook_endpoint w on w.account_id = d.account_id and w.webhook_endpoint_id = d.webhook_endpoint_id
    where d.state = 'due' or (d.state = 'dead' and w.disable_time is null and w.delete_time is null)
    union all
    select 'mails', count(*) filter (where state = 'due'), count(*) filter (where state = 'dead') from mail
    where state = 'due' or state = 'dead'
    union all
    select 'events', count(*), 0 from event where dispatch_time is null`,
};

const DEAD_DELIVERIES = {
  name: "dead_deliveries",
  text: `select d.account_id, d.event_id as object_id, d.webhook_endpoint_id, d.problem, d.create_time
    from webhook_endpoint w
    join delivery d on d.account_id = w.account_id and d.webhook_endpoint_id = w.webhook_endpoint_id and d.state = 'dead'
    where w.disable_time is null and w.delete_time is null
    order by d.account_id, d.webhook_endpoint_id, d.event_id limit $1`,
};

const DEAD_MAILS = {
  name: "dead_mails",
  text: `select account_id, mail_id as object_id, '' as webhook_endpoint_id, problem, create_time from mail
    where state = 'dead' order by account_id, mail_id limit $1`,
};

interface DeadRow {
  readonly account_id: string;
  readonly object_id: string;
  readonly webhook_endpoint_id: string;
  readonly problem: string;
  readonly create_time: Date;
}

/** Finds since when the oldest item of each kind of postponed work is due: a few steps in indexes, however many wait. */
export async function getOldestDue(query: Query) {
  const [events, [delivery], [mail]] = await Promise.all([
    query<{ event_id: string }>(OLDEST_EVENT, []),
    query<{ due_time: Date | null }>(OLDEST_DELIVERY, []),
    query<{ due_time: Date | null }>(OLDEST_MAIL, []),
  ]);
  const eventMs = Math.min(...events.map(({ event_id }) => timeOfId(event_id)));
  return {
    ...(Number.isFinite(eventMs) && { eventTime: timestampFromMs(eventMs) }),
    ...(delivery?.due_time && { deliveryTime: timestampOf(delivery.due_time) }),
    ...(mail?.due_time && { mailTime: timestampOf(mail.due_time) }),
  };
}

/** Counts what is due and dead of each kind, of all accounts, by the indexes of both. */
export async function countPostponedWork(query: Query) {
  const [rows, oldest] = await Promise.all([
    query<{ work: string; due_count: bigint; dead_count: bigint }>(COUNT, []),
    getOldestDue(query),
  ]);
  const countOf = (work: PostponedWork, word: string, oldestDueTime: typeof oldest.mailTime) => {
    const row = rows.find((one) => one.work === word);
    const counts = { dueCount: row?.due_count ?? 0n, deadCount: BigInt(row?.dead_count ?? 0) };
    return { work, ...counts, ...(oldestDueTime && { oldestDueTime }) };
  };
  return {
    counts: [
      countOf(PostponedWork.EVENTS, "events", oldest.eventTime),
      countOf(PostponedWork.WEBHOOKS, "deliveries", oldest.deliveryTime),
      countOf(PostponedWork.MAILS, "mails", oldest.mailTime),
    ],
  };
}

/** Lists what has come to nothing and can be redriven, of all accounts. */
export async function listDeadWork(query: Query, { limit }: ListDeadWorkRequest) {
  const [deliveries, mails] = await Promise.all([
    query<DeadRow>(DEAD_DELIVERIES, [limit]),
    query<DeadRow>(DEAD_MAILS, [limit]),
  ]);
  const messageOf = (work: PostponedWork) => (row: DeadRow) => ({
    accountId: row.account_id,
    work,
    objectId: row.object_id,
    webhookEndpointId: row.webhook_endpoint_id,
    problem: row.problem,
    createTime: timestampOf(row.create_time),
  });
  return { work: [...deliveries.map(messageOf(PostponedWork.WEBHOOKS)), ...mails.map(messageOf(PostponedWork.MAILS))] };
}
