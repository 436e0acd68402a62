-- API keys have a name and, when they are restricted, the scopes they are restricted to. What a restricted key that was made
-- before may do is not known: it may do nothing, as until now.

alter table api_key
  add column name text not null default '' check (length(name) <= 100),
  add column scopes text[] not null default '{}' check (cardinality(scopes) <= 20);
alter table api_key add check (kind = 'restricted' or scopes = '{}');
create index api_key_create_time on api_key (account_id, api_key_id) where revoke_time is null;
comment on column api_key.scopes is 'What a restricted key may do: "<resource>:read" or "<resource>:write", where write includes read.';
