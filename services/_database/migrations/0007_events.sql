-- What an event's noun was before, which attempts were told of as pending, and how events of some types are found.

alter table event add column previous bytea;
comment on column event.previous is 'The noun as it was before the change that a "….updated" event tells of (a Snapshot''s bytes); null for all others.';
create index event_type on event (account_id, type, create_time, event_id);

alter table attempt add column tell_time timestamptz;
comment on column attempt.tell_time is 'When its charge or return was told of as pending, because its end was not known in time (the machine''s time); null when the end alone is told.';
