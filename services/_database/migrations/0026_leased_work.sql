-- Postponed work is leased rows alone: deliveries and mails are due at a time, are leased by moving it, and have their state on the
-- row. The queue beside them (pg-boss, in the schema "jobs") goes; what it still held is due here.

create table mail (
  account_id text not null references account,
  mail_id text not null check (length(mail_id) between 1 and 300),
  kind text not null check (kind in ('invoice', 'receipt', 'return_notice', 'disabled_endpoint')),
  object_id text not null,
  invoice_id text,
  request_id text,
  state text not null check (state in ('due', 'sent', 'given_up', 'dead')),
  tries integer not null check (tries >= 0),
  due_time timestamptz,
  message_id text,
  pdf_sha256 bytea check (length(pdf_sha256) = 32),
  problem text not null default '' check (length(problem) <= 500),
  create_time timestamptz not null,
  send_time timestamptz,
  primary key (account_id, mail_id),
  unique (account_id, request_id),
  foreign key (account_id, invoice_id) references invoice,
  check ((state = 'due') = (due_time is not null)),
  check ((state = 'sent') = (send_time is not null)),
  check ((kind = 'invoice') = (request_id is not null)),
  check ((kind = 'invoice') = (invoice_id is not null) and (invoice_id is null or invoice_id = object_id))
);
create index mail_due on mail (account_id, due_time) where state = 'due';
create index mail_dead on mail (account_id, mail_id) where state = 'dead';
create index mail_invoice on mail (account_id, invoice_id, mail_id) where invoice_id is not null;
comment on table mail is 'A mail, and its own job: due at due_time (the machine''s time) until it was sent, was given up (nobody ever takes it), or was tried for five days (dead). Its id is its key: the Message-ID follows from it.';
comment on column mail.object_id is 'The invoice, the event of the receipt or of the return, or the endpoint.';
comment on column mail.invoice_id is 'Of an invoice, its id once more, as a key.';
comment on column mail.request_id is 'Of an invoice, the request that asked for the mail; its own id when finalizing did.';
comment on column mail.tries is 'How often it was leased since it was made or redriven: fences off a try of an earlier lease.';
comment on column mail.create_time is 'When it was made; of an endpoint, when that was disabled.';

insert into mail (account_id, mail_id, kind, object_id, invoice_id, request_id, state, tries, due_time, message_id, pdf_sha256,
    create_time, send_time)
  select account_id, sending_id, 'invoice', invoice_id, invoice_id, request_id,
    case when send_time is not null then 'sent' when is_given_up then 'given_up' else 'due' end,
    tries, due_time, message_id, pdf_sha256, create_time, send_time from sending;
drop table sending;

-- Accounts that were not told of a disabled endpoint yet; those that were being told are in the queue, below.
insert into mail (account_id, mail_id, kind, object_id, state, tries, due_time, create_time)
  select account_id, webhook_endpoint_id || '/disabled/' || floor(extract(epoch from disable_time) * 1000)::bigint,
    'disabled_endpoint', webhook_endpoint_id, 'due', 0, statement_timestamp(), disable_time
  from webhook_endpoint
  where disable_reason in ('gone', 'failing', 'refused') and notice_time is null and delete_time is null;
drop index webhook_endpoint_notice;
alter table webhook_endpoint drop column notice_time;

do $$
declare queue_owner name := (select r.rolname from pg_namespace n join pg_roles r on r.oid = n.nspowner where n.nspname = 'jobs');
begin
  if queue_owner is null then return; end if;
  if not pg_has_role(queue_owner, 'usage') then execute format('grant %I to current_user', queue_owner); end if;
  -- The queue's tables are made when it is first opened.
  if to_regclass('jobs.job') is not null then
    -- What waited, was being done or was dead. Names that name nothing any more made no mail, and make none.
    execute $queue$
      insert into mail (account_id, mail_id, kind, object_id, state, tries, due_time, create_time)
      select e.account_id, e.event_id, case when e.type like 'refund.%' then 'return_notice' else 'receipt' end, e.event_id,
        case when j.name = 'mail' then 'due' else 'dead' end,
        case when j.name = 'mail' then j.retry_count else 0 end,
        case when j.name = 'mail' then greatest(j.start_after, statement_timestamp()) end, e.write_time
      from jobs.job j join event e on e.account_id = j.data ->> 'accountId' and e.event_id = j.data ->> 'eventId'
      where j.name in ('mail', 'mail_dead') and j.state in ('created', 'retry', 'active')
      on conflict do nothing
    $queue$;
    execute $queue$
      insert into mail (account_id, mail_id, kind, object_id, state, tries, due_time, create_time)
      select w.account_id, w.webhook_endpoint_id || '/disabled/' || (j.data ->> 'disableMs'), 'disabled_endpoint',
        w.webhook_endpoint_id, case when j.name = 'mail' then 'due' else 'dead' end,
        case when j.name = 'mail' then j.retry_count else 0 end,
        case when j.name = 'mail' then greatest(j.start_after, statement_timestamp()) end,
        to_timestamp((j.data ->> 'disableMs')::bigint / 1000.0)
      from jobs.job j join webhook_endpoint w
        on w.account_id = j.data ->> 'accountId' and w.webhook_endpoint_id = j.data ->> 'webhookEndpointId'
      where j.name in ('mail', 'mail_dead') and j.state in ('created', 'retry', 'active') and j.data ->> 'disableMs' ~ '^[0-9]{1,15}$'
      on conflict do nothing
    $queue$;
  end if;
  -- A delivery has its row, which is due until a try of it came to an end, whatever became of its job.
  drop schema jobs cascade;
end $$;

drop index delivery_unqueued;
drop index delivery_pending;
alter table delivery drop column queue_time;
alter table delivery add column lease_count integer not null default 0 check (lease_count >= 0);
create index delivery_due on delivery (account_id, webhook_endpoint_id, due_time, event_id) where state = 'due';
comment on table delivery is 'One event on its way to one endpoint, and its own job: due at due_time (the machine''s time) until it was delivered, the endpoint was disabled, or its backoff schedule ended (dead).';
comment on column delivery.turn is 'How often it was made due or leased: fences off a try of an earlier lease.';
comment on column delivery.rung is 'How many tries have failed since its backoff schedule was begun.';
comment on column delivery.lease_count is 'How often it was leased since a try last came to something: what a fault of Tripe''s own is counted by.';
