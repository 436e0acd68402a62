-- What banks know a request by, the same in every repeat and in every later message about it: a trace number, and when it was begun
-- (begin_time). And what banks want to know of a merchant. Attempts that were begun before have no trace number: the bank service gives
-- their messages numbers of its own, as until now, 900,000 to 999,999.

create sequence attempt_trace_number as integer minvalue 1 maxvalue 899999 cycle;
alter table attempt add column trace_number integer check (trace_number between 1 and 999999);
alter table attempt alter column trace_number set default nextval('attempt_trace_number');
comment on column attempt.trace_number is 'ISO 8583 element 11 of its messages; null of what was begun before these were kept.';

alter table account
  add column city text not null default '' check (length(city) <= 100),
  add column country_code text not null default 'US' check (country_code ~ '^[A-Z]{2}$'),
  add column merchant_category text not null default '5999' check (merchant_category ~ '^[0-9]{4}$'),
  add column merchant_id text not null default '' check (merchant_id ~ '^[ -~]{0,15}$'),
  add column terminal_id text not null default '' check (terminal_id ~ '^[ -~]{0,8}$'),
  add column time_zone text not null default 'UTC' check (length(time_zone) between 1 and 64);
comment on column account.merchant_category is 'ISO 18245; 5999, miscellaneous retail, until the merchant''s own is set.';
comment on column account.merchant_id is 'As the bank assigned it (ISO 8583 element 42); empty, the end of the account''s id.';
comment on column account.terminal_id is 'As the bank assigned it (ISO 8583 element 41); empty, the end of the account''s id.';
comment on column account.time_zone is 'IANA''s name of the time zone that the merchant is in.';
