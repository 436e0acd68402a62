-- Where merchants hear of events, under which secrets, and how far each event has come to each endpoint.

create table webhook_endpoint (
  account_id text not null references account,
  webhook_endpoint_id text not null,
  url text not null check (length(url) between 1 and 2048),
  event_types text[] not null check (cardinality(event_types) between 1 and 300),
  description text not null check (length(description) <= 5000),
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  disable_reason text check (disable_reason in ('merchant', 'gone', 'failing')),
  disable_time timestamptz,
  notice_time timestamptz,
  fail_time timestamptz,
  match_time timestamptz not null,
  create_time timestamptz not null,
  delete_time timestamptz,
  primary key (account_id, webhook_endpoint_id),
  check ((disable_reason is null) = (disable_time is null))
);
create index webhook_endpoint_notice on webhook_endpoint (disable_time)
  where disable_reason in ('gone', 'failing') and notice_time is null and delete_time is null;
comment on table webhook_endpoint is 'A merchant''s server that hears of events of these types, "*" for all. A deleted one stays, with its delete_time, for the deliveries that name it.';
comment on column webhook_endpoint.fail_time is 'When it first failed since an event last reached it (the machine''s time); null while all is well.';
comment on column webhook_endpoint.match_time is 'Since when it hears of just these types (the machine''s time): earlier events were matched otherwise.';
comment on column webhook_endpoint.notice_time is 'When the account was told that Tripe has disabled it.';

create table webhook_secret (
  account_id text not null references account,
  webhook_endpoint_id text not null,
  request_id text not null check (length(request_id) between 1 and 300),
  secret text not null check (secret ~ '^whsec_[0-9A-Za-z]{32}$'),
  create_time timestamptz not null,
  expire_time timestamptz,
  primary key (account_id, webhook_endpoint_id, request_id),
  foreign key (account_id, webhook_endpoint_id) references webhook_endpoint
);
create unique index webhook_secret_current on webhook_secret (account_id, webhook_endpoint_id) where expire_time is null;
comment on table webhook_secret is 'What deliveries are signed with, by the request that made it; a replaced one signs too until its expire_time. Read for a delivery and for the request''s own answer, nowhere else.';

create table delivery (
  account_id text not null references account,
  event_id text not null,
  webhook_endpoint_id text not null,
  state text not null check (state in ('due', 'delivered', 'disabled', 'dead')),
  turn integer not null check (turn >= 1),
  rung integer not null check (rung >= 0),
  due_time timestamptz,
  queue_time timestamptz,
  body bytea check (length(body) <= 1048576),
  status integer not null default 0,
  problem text not null default '' check (length(problem) <= 500),
  create_time timestamptz not null,
  try_time timestamptz,
  primary key (account_id, event_id, webhook_endpoint_id),
  foreign key (account_id, event_id) references event,
  foreign key (account_id, webhook_endpoint_id) references webhook_endpoint,
  check ((state = 'due') = (due_time is not null))
);
create index delivery_unqueued on delivery (due_time) where state = 'due' and queue_time is null;
create index delivery_pending on delivery (account_id, webhook_endpoint_id, event_id) where state = 'due';
create index delivery_dead on delivery (account_id, webhook_endpoint_id, event_id) where state = 'dead';
comment on table delivery is 'One event on its way to one endpoint: due until it was delivered, the endpoint was disabled, or its ladder ended (dead). Without queue_time a due one is an outbox row of the queue "webhook".';
comment on column delivery.turn is 'How often it was made due: names its job in the queue, and fences off a try of an earlier turn.';
comment on column delivery.rung is 'How many tries have failed since its ladder was begun.';
comment on column delivery.body is 'The bytes of the first attempt, posted again at every later one.';
