-- What a merchant sees of its endpoints: the version their events bear, how their deliveries end, and why Tripe calls one no more.
-- An endpoint hears only of what happens after it was made.

alter table webhook_endpoint add column api_version text not null default '2026-10-28.endive'
  check (length(api_version) <= 64);
alter table webhook_endpoint add column delivered_count bigint not null default 0;
alter table webhook_endpoint add column failed_count bigint not null default 0;
alter table webhook_endpoint add column last_failure_time timestamptz;
alter table webhook_endpoint add column last_failure_status integer not null default 0;
alter table webhook_endpoint add column last_failure_problem text not null default ''
  check (length(last_failure_problem) <= 500);
alter table webhook_endpoint add column make_time timestamptz not null default '-infinity';
alter table webhook_endpoint alter column make_time set default statement_timestamp();
comment on column webhook_endpoint.api_version is 'The version of the API that it was made with, in the public API''s words; its events bear it. Empty for Tripe''s own.';
comment on column webhook_endpoint.delivered_count is 'How many deliveries it took.';
comment on column webhook_endpoint.failed_count is 'How many tries it did not take.';
comment on column webhook_endpoint.last_failure_time is 'When it last did not take one (the machine''s time).';
comment on column webhook_endpoint.last_failure_status is 'The HTTP status of that try; 0 when none was received.';
comment on column webhook_endpoint.make_time is 'When it was made (the machine''s time): nothing written before is delivered to it by itself.';

alter table webhook_endpoint drop constraint webhook_endpoint_disable_reason_check;
alter table webhook_endpoint add constraint webhook_endpoint_disable_reason_check
  check (disable_reason in ('merchant', 'gone', 'failing', 'refused'));
drop index webhook_endpoint_notice;
create index webhook_endpoint_notice on webhook_endpoint (disable_time)
  where disable_reason in ('gone', 'failing', 'refused') and notice_time is null and delete_time is null;

alter table event add column write_time timestamptz not null default statement_timestamp();
comment on column event.write_time is 'When it was written (the machine''s time); of those of an earlier Tripe, when it was updated.';
