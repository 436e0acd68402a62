-- The keys that this database belongs to, by their public ids: a start with others is refused before it alters anything.

create table key_fingerprint (
  kind text not null check (kind in ('card', 'fingerprint', 'request', 'database', 'webhook')),
  key_id text not null check (key_id ~ '^[0-9a-f]{8}$'),
  create_time timestamptz not null,
  retire_time timestamptz,
  primary key (kind, key_id)
);
comment on table key_fingerprint is 'The keys that are live for this database, by a hash of each; never a key. "fingerprint" is the key of cards'' fingerprints.';
comment on column key_fingerprint.create_time is 'Since when it is in use (the machine''s time).';
comment on column key_fingerprint.retire_time is 'Since when nothing needs it; null while it is live.';
