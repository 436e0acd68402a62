-- Products, prices, invoices and subscriptions.

create table product (
  account_id text not null references account,
  product_id text not null check (length(product_id) between 1 and 64),
  name text not null check (length(name) between 1 and 250),
  description text not null check (length(description) <= 5000),
  is_active boolean not null,
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  default_price_id text,
  create_time timestamptz not null,
  update_time timestamptz not null,
  primary key (account_id, product_id)
);
comment on table product is 'Something a merchant sells.';

create table price (
  account_id text not null references account,
  price_id text not null,
  product_id text not null,
  currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
  unit_amount_minor bigint not null check (unit_amount_minor between 0 and 9007199254740991),
  interval_unit text check (interval_unit in ('day', 'week', 'month', 'year')),
  interval_count integer check (interval_count >= 1),
  trial_period_days integer not null check (trial_period_days between 0 and 730),
  lookup_key text check (length(lookup_key) between 1 and 200),
  nickname text not null check (length(nickname) <= 5000),
  is_active boolean not null,
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  create_time timestamptz not null,
  primary key (account_id, price_id),
  foreign key (account_id, product_id) references product,
  unique (account_id, lookup_key),
  check ((interval_unit is null) = (interval_count is null))
);
create index price_product on price (account_id, product_id, price_id);
comment on table price is 'What a unit of a product costs. Its amount, currency and interval never change.';

alter table product add foreign key (account_id, default_price_id) references price;

alter table charge add invoice_id text;

create index customer_test_clock on customer (account_id, test_clock_id) where test_clock_id is not null;

alter table customer add next_invoice_sequence integer not null default 1 check (next_invoice_sequence >= 1);

create table subscription (
  account_id text not null references account,
  subscription_id text not null,
  revision integer not null check (revision >= 1),
  customer_id text not null,
  state text not null check (state in ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'canceled', 'paused')),
  currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
  interval_unit text not null check (interval_unit in ('day', 'week', 'month', 'year')),
  interval_count integer not null check (interval_count >= 1),
  collection_method text not null check (collection_method in ('charge_automatically', 'send_invoice')),
  days_until_due integer not null check (days_until_due between 0 and 730),
  default_payment_method_id text,
  anchor_time timestamptz not null,
  period_index integer not null check (period_index >= -1),
  period_start_time timestamptz not null,
  period_end_time timestamptz not null,
  trial_start_time timestamptz,
  trial_end_time timestamptz,
  is_ending_with_period boolean not null,
  cancel_time timestamptz,
  end_time timestamptz,
  latest_invoice_id text,
  description text not null check (length(description) <= 500),
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  renew_time timestamptz,
  lease_end_time timestamptz,
  create_time timestamptz not null,
  primary key (account_id, subscription_id),
  foreign key (account_id, customer_id) references customer,
  foreign key (account_id, default_payment_method_id) references payment_method,
  check (period_end_time > period_start_time),
  check ((trial_start_time is null) = (trial_end_time is null)),
  check ((state in ('canceled', 'incomplete_expired')) = (end_time is not null)),
  check (end_time is null or renew_time is null)
);
create index subscription_customer on subscription (account_id, customer_id, subscription_id);
create index subscription_due on subscription (renew_time) where renew_time is not null;
comment on table subscription is 'A standing order, and its own job in the queue of renewals: due at renew_time (business time) until it ends. Period n runs from anchor_time + n intervals; -1 is the trial.';

create table subscription_item (
  account_id text not null references account,
  subscription_item_id text not null,
  subscription_id text not null,
  price_id text not null,
  quantity bigint not null check (quantity between 0 and 999999),
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  create_time timestamptz not null,
  primary key (account_id, subscription_item_id),
  foreign key (account_id, subscription_id) references subscription,
  foreign key (account_id, price_id) references price
);
create index subscription_item_subscription on subscription_item (account_id, subscription_id, subscription_item_id);
create index subscription_item_price on subscription_item (account_id, price_id, subscription_id);
comment on table subscription_item is 'One price of a subscription, so many times.';

create table invoice (
  account_id text not null references account,
  invoice_id text not null,
  revision integer not null check (revision >= 1),
  state text not null check (state in ('draft', 'open', 'paid', 'uncollectible', 'void')),
  number text check (length(number) between 1 and 40),
  sequence integer check (sequence >= 1),
  customer_id text not null,
  subscription_id text,
  period_index integer,
  currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
  customer_details jsonb,
  subtotal_minor bigint not null,
  discount_minor bigint not null check (discount_minor >= 0),
  total_minor bigint not null,
  amount_due_minor bigint not null check (amount_due_minor >= 0),
  paid_minor bigint not null check (paid_minor between 0 and amount_due_minor),
  description text not null check (length(description) <= 5000),
  footer text not null check (length(footer) <= 5000),
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  billing_reason text not null check (billing_reason in ('manual', 'subscription_create', 'subscription_cycle')),
  collection_method text not null check (collection_method in ('charge_automatically', 'send_invoice')),
  is_auto_advancing boolean not null,
  days_until_due integer not null check (days_until_due between 0 and 730),
  due_time timestamptz,
  period_start_time timestamptz not null,
  period_end_time timestamptz not null,
  default_payment_method_id text,
  attempt_count integer not null check (attempt_count >= 0),
  next_attempt_time timestamptz,
  lease_end_time timestamptz,
  charge_id text,
  is_paid_out_of_band boolean not null,
  create_time timestamptz not null,
  finalize_time timestamptz,
  pay_time timestamptz,
  void_time timestamptz,
  uncollectible_time timestamptz,
  send_time timestamptz,
  pdf_sha256 bytea check (length(pdf_sha256) = 32),
  primary key (account_id, invoice_id),
  foreign key (account_id, customer_id) references customer,
  foreign key (account_id, subscription_id) references subscription,
  foreign key (account_id, default_payment_method_id) references payment_method,
  unique (account_id, subscription_id, period_index),
  unique (account_id, customer_id, sequence),
  check ((subscription_id is null) = (period_index is null)),
  check ((state = 'draft') = (number is null)),
  check ((number is null) = (sequence is null)),
  check ((number is null) = (finalize_time is null)),
  check ((state = 'paid') = (pay_time is not null)),
  check ((state = 'void') = (void_time is not null)),
  check (state <> 'paid' or paid_minor = amount_due_minor),
  check (state = 'paid' or paid_minor = 0)
);
create index invoice_customer on invoice (account_id, customer_id, invoice_id);
create index invoice_create_time on invoice (account_id, create_time, invoice_id);
create index invoice_due on invoice (next_attempt_time) where next_attempt_time is not null and state in ('draft', 'open');
comment on table invoice is 'A bill, and its own job in the queue of collections: due at next_attempt_time (business time) to be finalized while a draft, to be collected while open. One per subscription and period.';

create table invoice_item (
  account_id text not null references account,
  invoice_item_id text not null,
  customer_id text not null,
  invoice_id text,
  currency_code char(3) not null check (currency_code ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor between -9007199254740991 and 9007199254740991),
  quantity bigint not null check (quantity between 0 and 999999999),
  unit_amount_minor bigint,
  price_id text,
  description text not null check (length(description) <= 5000),
  period_start_time timestamptz not null,
  period_end_time timestamptz not null,
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  create_time timestamptz not null,
  primary key (account_id, invoice_item_id),
  foreign key (account_id, customer_id) references customer,
  foreign key (account_id, invoice_id) references invoice,
  foreign key (account_id, price_id) references price
);
create index invoice_item_customer on invoice_item (account_id, customer_id, invoice_item_id);
create index invoice_item_invoice on invoice_item (account_id, invoice_id, invoice_item_id) where invoice_id is not null;
comment on table invoice_item is 'What a customer owes, pending until a draft takes it.';

create table invoice_line (
  account_id text not null references account,
  invoice_line_id text not null,
  invoice_id text not null,
  position integer not null check (position >= 0),
  description text not null check (length(description) <= 5000),
  quantity bigint not null check (quantity between 0 and 999999999),
  unit_amount_minor bigint,
  amount_minor bigint not null check (amount_minor between -9007199254740991 and 9007199254740991),
  price_id text,
  subscription_item_id text,
  invoice_item_id text,
  period_start_time timestamptz,
  period_end_time timestamptz,
  metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
  primary key (account_id, invoice_line_id),
  unique (account_id, invoice_id, position),
  foreign key (account_id, invoice_id) references invoice,
  foreign key (account_id, price_id) references price,
  foreign key (account_id, subscription_item_id) references subscription_item,
  foreign key (account_id, invoice_item_id) references invoice_item
);
comment on table invoice_line is 'The lines of an invoice, in order of position.';

create table invoice_payment (
  account_id text not null references account,
  invoice_payment_id text not null,
  invoice_id text not null,
  charge_id text,
  amount_minor bigint not null check (amount_minor > 0),
  currency_code char(3) not null,
  state text not null check (state in ('open', 'paid', 'canceled')),
  create_time timestamptz not null,
  pay_time timestamptz,
  primary key (account_id, invoice_payment_id),
  unique (account_id, charge_id),
  foreign key (account_id, invoice_id) references invoice,
  foreign key (account_id, charge_id) references charge,
  check ((state = 'paid') = (pay_time is not null))
);
create index invoice_payment_invoice on invoice_payment (account_id, invoice_id, invoice_payment_id);
create unique index invoice_payment_open on invoice_payment (account_id, invoice_id) where state = 'open';
comment on table invoice_payment is 'The payments of an invoice: by a charge, or out of band. At most one is under way.';

create table sending (
  account_id text not null references account,
  sending_id text not null,
  invoice_id text not null,
  request_id text not null,
  tries integer not null check (tries >= 0),
  due_time timestamptz,
  message_id text,
  pdf_sha256 bytea check (length(pdf_sha256) = 32),
  is_given_up boolean not null,
  create_time timestamptz not null,
  send_time timestamptz,
  primary key (account_id, sending_id),
  unique (account_id, request_id),
  foreign key (account_id, invoice_id) references invoice,
  check ((send_time is not null or is_given_up) = (due_time is null))
);
create index sending_due on sending (due_time) where due_time is not null;
create index sending_invoice on sending (account_id, invoice_id, sending_id);
comment on table sending is 'An invoice to be mailed, and its own job: due at due_time (the machine''s time) until it was sent or given up. Its id is the mail''s key.';

alter table charge add foreign key (account_id, invoice_id) references invoice;
