-- Health asks whether the database takes writes by writing, once a second at most.

create table heartbeat (
  heartbeat_id integer primary key check (heartbeat_id = 1),
  beat_time timestamptz not null
);
comment on table heartbeat is 'One row, written anew whenever health is asked for: a write that commits proves that charges can be.';
insert into heartbeat values (1, now());

create unlogged table heartbeat_page (
  bytes bytea not null
);
alter table heartbeat_page alter column bytes set storage plain;
comment on table heartbeat_page is 'Always empty: each heartbeat adds one page to it and rolls that back, since a full disk shows only when a file grows.';

create function write_heartbeat() returns void language plpgsql as $$
begin
  begin
    -- As large as a row can be without TOAST, so that each has a page of its own.
    insert into tripe.heartbeat_page values (decode(repeat('00', 8000), 'hex'));
    raise exception using errcode = 'TR001';
  exception when sqlstate 'TR001' then null;
  end;
  update tripe.heartbeat set beat_time = statement_timestamp();
end $$;
comment on function write_heartbeat is 'Writes in each of the ways in which a charge does: a file grows, a row changes, and the commit is flushed.';
