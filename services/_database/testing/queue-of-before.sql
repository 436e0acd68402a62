-- The tables of pg-boss 12.38 that held mails and webhooks before postponed work became leased rows, as that package made them, less what no query here reads.

create type jobs.job_state as enum ('created', 'retry', 'active', 'completed', 'cancelled', 'failed');
create table jobs.job (
  id uuid not null default gen_random_uuid(),
  name text not null,
  priority integer not null default(0),
  data jsonb,
  state jobs.job_state not null default 'created',
  retry_limit integer not null default 2,
  retry_count integer not null default 0,
  retry_delay integer not null default 0,
  retry_backoff boolean not null default false,
  retry_delay_max integer,
  expire_seconds int not null default 900,
  deletion_seconds int not null default 604800,
  singleton_key text,
  singleton_on timestamp without time zone,
  group_id text,
  group_tier text,
  start_after timestamp with time zone not null default statement_timestamp(),
  created_on timestamp with time zone not null default statement_timestamp(),
  started_on timestamp with time zone,
  completed_on timestamp with time zone,
  keep_until timestamp with time zone not null default statement_timestamp() + interval '1209600',
  output jsonb,
  dead_letter text
) partition by list (name);
create table jobs.job_common (like jobs.job including generated including defaults);
alter table jobs.job attach partition jobs.job_common default;
