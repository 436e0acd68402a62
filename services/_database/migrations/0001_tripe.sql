-- The tables of Tripe. account_id is the first column of every primary, foreign and unique key (but for the two that find
-- an account: its own id, and an API key by its hash), ids are made by the application and sort by time of creation, and no
-- change crosses accounts.

create table account (
  account_id text not null primary key check (length(account_id) between 1 and 64),
  is_live boolean not null,
  name text not null check (length(name) <= 500),
  email text not null check (length(email) <= 512),
  address text not null check (length(address) <= 2000),
  default_currency_code char(3) not null check (default_currency_code ~ '^[A-Z]{3}$'),
  create_time timestamptz not null
);
comment on table account is 'A merchant''s account in one mode; a merchant has two, sandbox and live.';

create table api_key (
  account_id text not null references account,
  api_key_id text not null,
  key_sha256 bytea not null unique check (length(key_sha256) = 32),
  kind text not null check (kind in ('secret', 'publishable', 'restricted')),
  last4 text not null check (length(last4) <= 4),
  create_time timestamptz not null,
  expire_time timestamptz,
  revoke_time timestamptz,
  primary key (account_id, api_key_id)
);
comment on table api_key is 'A key of the public API; only the SHA-256 of its text is kept.';

create table test_clock (
  account_id text not null references account,
  test_clock_id text not null,
  business_time timestamptz not null,
  create_time timestamptz not null,
  primary key (account_id, test_clock_id)
);
comment on table test_clock is 'The time that its customers live in, moved by hand; for sandbox accounts.';

create table customer (
  account_id text not null references account,
  customer_id text not null,
  email text not null check (length(email) <= 512),
  name text not null check (length(name) <= 256),
  phone text not null check (length(phone) <= 20),
  description text not null check (length(description) <= 5000),
  address jsonb,
  shipping jsonb,
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  default_payment_method_id text,
  is_default_from_source boolean not null default false,
  invoice_prefix text not null check (invoice_prefix ~ '^[A-Z0-9]{3,12}$'),
  preferred_locales text[] not null default '{}',
  test_clock_id text,
  create_time timestamptz not null,
  delete_time timestamptz,
  primary key (account_id, customer_id),
  foreign key (account_id, test_clock_id) references test_clock
);
create index customer_email on customer (account_id, email, customer_id);
create index customer_create_time on customer (account_id, create_time, customer_id);
comment on table customer is 'Somebody a merchant charges. A deleted one stays, with its delete_time, for the charges that name it.';

create table payment_method (
  account_id text not null references account,
  payment_method_id text not null,
  customer_id text,
  brand text not null,
  last4 text not null check (last4 ~ '^[0-9]{4}$'),
  exp_month smallint not null check (exp_month between 1 and 12),
  exp_year smallint not null check (exp_year between 1970 and 9999),
  funding text not null,
  country_code text not null,
  fingerprint text not null,
  cvc_check text not null check (cvc_check in ('pass', 'fail', 'unavailable', 'unchecked')),
  verification_decline_reason text,
  verification_response_code text,
  sealed_card bytea not null check (length(sealed_card) between 1 and 2048),
  billing_details jsonb,
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  create_time timestamptz not null,
  detach_time timestamptz,
  primary key (account_id, payment_method_id),
  foreign key (account_id, customer_id) references customer,
  check (detach_time is null or customer_id is null)
);
create index payment_method_customer on payment_method (account_id, customer_id, payment_method_id) where customer_id is not null;
comment on table payment_method is 'A card as the bank service sealed it, with what may be shown of it.';

alter table customer add foreign key (account_id, default_payment_method_id) references payment_method;

create table token (
  account_id text not null references account,
  token_id text not null,
  payment_method_id text not null,
  create_time timestamptz not null,
  use_time timestamptz,
  primary key (account_id, token_id),
  unique (account_id, payment_method_id),
  foreign key (account_id, payment_method_id) references payment_method
);
comment on table token is 'Stands for a payment method until its first use.';

create table idempotency (
  account_id text not null references account,
  request_id text not null check (length(request_id) between 1 and 300),
  request_digest bytea not null,
  noun_id text not null,
  answer bytea,
  public_request_id text not null,
  create_time timestamptz not null,
  finish_time timestamptz,
  primary key (account_id, request_id),
  check ((answer is null) = (finish_time is null))
);
comment on table idempotency is 'What each request id was used for, and the noun it was answered with (a Snapshot''s bytes). An answer that is null is still being made.';

create table charge (
  account_id text not null references account,
  charge_id text not null,
  revision integer not null check (revision >= 1),
  state text not null check (state in ('pending', 'succeeded', 'failed')),
  amount_minor bigint not null check (amount_minor between 1 and 9007199254740991),
  currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
  captured_minor bigint not null,
  returned_minor bigint not null,
  customer_id text,
  payment_method_id text not null,
  token_id text,
  is_from_source boolean not null,
  decline_reason text,
  response_code text,
  description text not null check (length(description) <= 5000),
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  receipt_email text not null check (length(receipt_email) <= 512),
  statement_descriptor text not null check (length(statement_descriptor) <= 22),
  statement_descriptor_suffix text not null check (length(statement_descriptor_suffix) <= 22),
  transfer_group text not null check (length(transfer_group) <= 500),
  shipping jsonb,
  authorization_code text not null,
  ledger_transfer_id text,
  request_id text not null,
  create_time timestamptz not null,
  settle_time timestamptz,
  primary key (account_id, charge_id),
  foreign key (account_id, customer_id) references customer,
  foreign key (account_id, payment_method_id) references payment_method,
  foreign key (account_id, request_id) references idempotency,
  unique (account_id, token_id),
  check (captured_minor between 0 and amount_minor),
  check (returned_minor between 0 and captured_minor),
  check ((state = 'pending') = (settle_time is null)),
  check ((state = 'succeeded') = (ledger_transfer_id is not null)),
  check ((state = 'failed') = (decline_reason is not null)),
  check (state = 'succeeded' or captured_minor = 0)
);
create index charge_customer on charge (account_id, customer_id, charge_id) where customer_id is not null;
create index charge_transfer_group on charge (account_id, transfer_group, charge_id) where transfer_group <> '';
create index charge_create_time on charge (account_id, create_time, charge_id);
comment on table charge is 'Money asked of a card, once: pending, then succeeded or failed for good.';

create table charge_return (
  account_id text not null references account,
  return_id text not null,
  revision integer not null check (revision >= 1),
  charge_id text not null,
  state text not null check (state in ('pending', 'succeeded', 'failed', 'canceled')),
  amount_minor bigint not null check (amount_minor between 1 and 9007199254740991),
  currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
  reason text not null check (reason in ('', 'duplicate', 'fraudulent', 'requested_by_customer')),
  decline_reason text,
  response_code text,
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  network_reference text not null,
  ledger_transfer_id text,
  request_id text not null,
  create_time timestamptz not null,
  settle_time timestamptz,
  primary key (account_id, return_id),
  foreign key (account_id, charge_id) references charge,
  foreign key (account_id, request_id) references idempotency,
  check ((state = 'pending') = (settle_time is null)),
  check ((state = 'succeeded') = (ledger_transfer_id is not null)),
  check ((state = 'failed') = (decline_reason is not null))
);
create index charge_return_charge on charge_return (account_id, charge_id, return_id);
create index charge_return_create_time on charge_return (account_id, create_time, return_id);
comment on table charge_return is 'Money of a charge given back. The amount is held back on the charge from the first commit on.';

create table attempt (
  account_id text not null references account,
  attempt_id text not null,
  kind text not null check (kind in ('purchase', 'authorize', 'capture', 'reverse', 'refund')),
  state text not null check (state in ('pending', 'succeeded', 'failed')),
  charge_id text not null,
  return_id text,
  payment_method_id text not null,
  bank_ref text not null check (length(bank_ref) between 1 and 40),
  original_bank_ref text not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency_code char(3) not null,
  fence integer not null check (fence >= 1),
  tries integer not null check (tries >= 0),
  bank text not null,
  lease_end_time timestamptz,
  resolve_time timestamptz,
  outcome text check (outcome in ('accepted', 'declined', 'not_sent')),
  decline_reason text,
  response_code text,
  authorization_code text not null,
  network_reference text not null,
  create_time timestamptz not null,
  settle_time timestamptz,
  primary key (account_id, attempt_id),
  unique (account_id, bank_ref),
  foreign key (account_id, charge_id) references charge,
  foreign key (account_id, return_id) references charge_return,
  foreign key (account_id, payment_method_id) references payment_method,
  check ((state = 'pending') = (resolve_time is not null)),
  check ((state = 'pending') = (outcome is null)),
  check ((state = 'succeeded') = (outcome is not distinct from 'accepted')),
  check ((kind = 'refund') = (return_id is not null))
);
create unique index attempt_charge on attempt (account_id, charge_id) where kind in ('purchase', 'authorize');
create unique index attempt_return on attempt (account_id, return_id) where return_id is not null;
create index attempt_due on attempt (resolve_time) where state = 'pending';
comment on table attempt is 'One thing asked of a bank, and its own job in the queue of what is unfinished: due at resolve_time while pending.';

create table ledger_transfer (
  account_id text not null references account,
  ledger_transfer_id text not null,
  kind text not null check (kind in ('charge', 'return')),
  charge_id text not null,
  return_id text,
  attempt_id text not null,
  create_time timestamptz not null,
  primary key (account_id, ledger_transfer_id),
  unique (account_id, attempt_id),
  foreign key (account_id, attempt_id) references attempt,
  check ((kind = 'return') = (return_id is not null))
);
comment on table ledger_transfer is 'One booking. Never changed: a correction is a new transfer.';

create table ledger_entry (
  account_id text not null references account,
  ledger_transfer_id text not null,
  ledger_account text not null check (ledger_account in ('bank_clearing', 'merchant_balance', 'fees')),
  currency_code char(3) not null,
  amount_minor bigint not null check (amount_minor <> 0),
  primary key (account_id, ledger_transfer_id, ledger_account, currency_code),
  foreign key (account_id, ledger_transfer_id) references ledger_transfer
);
comment on table ledger_entry is 'One side of a transfer: debits positive, credits negative. bank_clearing is what the banks owe, merchant_balance what is owed to the merchant, fees what Tripe earned.';

create table event (
  account_id text not null references account,
  event_id text not null,
  type text not null check (length(type) between 1 and 64),
  object_id text not null,
  snapshot bytea not null,
  public_request_id text not null,
  idempotency_key text not null,
  create_time timestamptz not null,
  dispatch_time timestamptz,
  primary key (account_id, event_id)
);
create index event_undispatched on event (event_id) where dispatch_time is null;
comment on table event is 'Something that happened, with the noun as it was in that commit (a Snapshot''s bytes). Without dispatch_time it is an outbox row.';

create table alert (
  account_id text not null references account,
  alert_id text not null,
  reason text not null,
  object_id text not null,
  details jsonb not null,
  create_time timestamptz not null,
  resolve_time timestamptz,
  primary key (account_id, alert_id)
);
comment on table alert is 'Something that a person must look at, such as two banks'' answers that disagree.';

create function business_now(account text, customer text default null) returns timestamptz
language sql stable parallel safe as $$
  select coalesce(
    (select t.business_time from tripe.customer c join tripe.test_clock t using (account_id, test_clock_id)
      where c.account_id = account and c.customer_id = customer),
    now() + coalesce(nullif(current_setting('tripe.time_offset', true), '')::interval, interval '0')
  )
$$;
comment on function business_now is 'The time an account, or a customer on a test clock, lives in. The setting tripe.time_offset is for tests.';

create function ledger_entries_balance() returns trigger language plpgsql as $$
begin
  if exists (
    select from inserted group by account_id, ledger_transfer_id, currency_code having sum(amount_minor) <> 0
  ) then
    raise exception 'the entries of a transfer must sum to zero in each currency'
      using errcode = 'check_violation', constraint = 'ledger_entry_balance';
  end if;
  return null;
end $$;
comment on function ledger_entries_balance is 'Refuses entries that do not sum to zero per transfer and currency. Every insert brings whole transfers.';
create trigger ledger_entry_balance after insert on ledger_entry
  referencing new table as inserted for each statement execute function ledger_entries_balance();

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
comment on function refuse_change is 'Refuses every change of what is append-only, whoever asks.';
create trigger ledger_transfer_append_only before update or delete or truncate on ledger_transfer
  for each statement execute function refuse_change();
create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
  for each statement execute function refuse_change();
