import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  type LeaseMailsRequest,
  MailOutcome,
  type RecordMailsRequest,
  type RedriveMailsRequest,
} from "../../gen/tripe/writer/v1/mails_pb.ts";
import { timestampOf } from "../_database/rows/fields.ts";
import { mailKinds } from "../_database/rows/words.ts";
import { waitingAccounts } from "../_database/waiting-accounts.ts";
import type { WriterDependencies } from "./answers.ts";

/** Three reads, a page and a mail server that takes its time are 35 s: a worker that takes longer has died. */
const LEASE_SECONDS = 60;

/** The first of each account, then the second of each; of one account as many as its caller has room for. */
const LEASE = {
  name: "lease_mails",
  text: `${waitingAccounts("mail", "state = 'due'")}, load as (
      select * from unnest($3::text[], $4::int[]) as l(account_id, count)
    ), listed as (
      select f.* from waiting w left join load l using (account_id) cross join lateral (
        select m.account_id, m.mail_id, m.due_time, row_number() over (order by m.due_time) as place
        from mail m where m.account_id = w.account_id and m.state = 'due' and m.due_time <= statement_timestamp()
        order by m.due_time limit greatest(0, least($1, $2 - coalesce(l.count, 0)))
      ) f order by f.place, f.due_time limit $1
    ), chosen as (
      select m.account_id, m.mail_id from listed l join mail m on m.account_id = l.account_id and m.mail_id = l.mail_id
      where m.state = 'due' and m.due_time <= statement_timestamp()
      order by l.place, l.due_time for no key update of m skip locked
    )
    update mail m set tries = m.tries + 1, due_time = statement_timestamp() + interval '${LEASE_SECONDS} s'
    from chosen c where m.account_id = c.account_id and m.mail_id = c.mail_id
    returning m.account_id, m.mail_id, m.kind, m.object_id, m.tries, m.create_time`,
};

/** That an invoice was sent is recorded with the invoice and its event (mark_sent in sendings.ts). */
const RECORD = {
  name: "record_mails",
  text: `update mail m set state = i.state, problem = i.problem, message_id = coalesce(nullif(i.message_id, ''), m.message_id),
      due_time = case when i.state = 'due' then statement_timestamp() + make_interval(secs => i.wait) end,
      send_time = case when i.state = 'sent' then statement_timestamp() end
    from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::float8[], $6::text[], $7::text[])
      as i(account_id, mail_id, tries, state, wait, message_id, problem)
    where m.account_id = i.account_id and m.mail_id = i.mail_id and m.tries = i.tries and m.state = 'due'
      and not (m.kind = 'invoice' and i.state = 'sent')
    returning m.mail_id`,
};

const REDRIVE = {
  name: "redrive_mails",
  text: `update mail m set state = 'due', tries = 0, due_time = statement_timestamp()
    from (
      select account_id, mail_id from mail where state = 'dead' order by account_id, mail_id limit $1 for update skip locked
    ) i where m.account_id = i.account_id and m.mail_id = i.mail_id
    returning m.mail_id`,
};

// A try that says nothing of what it came to is not made again by itself.
const stateAfter: Readonly<Record<MailOutcome, string>> = {
  [MailOutcome.UNSPECIFIED]: "dead",
  [MailOutcome.SENT]: "sent",
  [MailOutcome.POSTPONED]: "due",
  [MailOutcome.GIVEN_UP]: "given_up",
  [MailOutcome.DEAD]: "dead",
};

interface LeasedRow {
  readonly account_id: string;
  readonly mail_id: string;
  readonly kind: string;
  readonly object_id: string;
  readonly tries: number;
  readonly create_time: Date;
}

/** Takes up mails that are due. A lease counts as a try, by which what came of an earlier one is known. */
export async function leaseMails({ database }: WriterDependencies, { limit, accountMax, loads }: LeaseMailsRequest) {
  const rows = await database.query<LeasedRow>(LEASE, [
    limit,
    accountMax,
    loads.map(({ accountId }) => accountId),
    loads.map(({ count }) => count),
  ]);
  const mails = rows.map((row) => ({
    accountId: row.account_id,
    mailId: row.mail_id,
    kind: mailKinds.of(row.kind),
    objectId: row.object_id,
    tries: row.tries,
    createTime: timestampOf(row.create_time),
  }));
  return { mails };
}

/** Records what tries came to; one of an earlier lease is left out. */
export async function recordMails({ database }: WriterDependencies, { tries }: RecordMailsRequest) {
  const recorded = await database.query(RECORD, [
    tries.map(({ accountId }) => accountId),
    tries.map(({ mailId }) => mailId),
    tries.map((one) => one.tries),
    tries.map(({ outcome }) => stateAfter[outcome]),
    tries.map(({ wait }) => (wait === undefined ? 0 : durationMs(wait) / 1_000)),
    tries.map(({ messageId }) => messageId),
    tries.map(({ problem }) => problem),
  ]);
  return { recordedCount: recorded.length };
}

/** Makes dead mails due again, of every account. Done twice, the second time finds only what has died since. */
export async function redriveMails({ database }: WriterDependencies, { limit }: RedriveMailsRequest) {
  return { redrivenCount: (await database.query(REDRIVE, [limit])).length };
}
