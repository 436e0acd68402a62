-- What stands in the schema tripe after every migration, read from Postgres' catalog by listing.ts.
-- A listing to read and to compare, not a script to run; `npm run check -- --fix` writes it anew.

table account -- A merchant's account in one mode; a merchant has two, sandbox and live.
  account_id text not null
  is_live boolean not null
  name text not null
  email text not null
  address text not null
  default_currency_code character(3) not null
  create_time timestamp with time zone not null
  city text not null default ''::text
  country_code text not null default 'US'::text
  merchant_category text not null default '5999'::text -- ISO 18245; 5999, miscellaneous retail, until the merchant's own is set.
  merchant_id text not null default ''::text -- As the bank assigned it (ISO 8583 element 42); empty, the end of the account's id.
  terminal_id text not null default ''::text -- As the bank assigned it (ISO 8583 element 41); empty, the end of the account's id.
  time_zone text not null default 'UTC'::text -- IANA's name of the time zone that the merchant is in.
  fee_basis_points integer not null default 0 -- Hundredths of a percent that Tripe keeps of each charge, also when it is returned.
  fee_fixed_minor integer not null default 0 -- A fixed part of each charge in minor units of a currency with two decimals; scaled to others by their decimals.
  constraint account_account_id_check CHECK (((length(account_id) >= 1) AND (length(account_id) <= 64)))
  constraint account_address_check CHECK ((length(address) <= 2000))
  constraint account_city_check CHECK ((length(city) <= 100))
  constraint account_country_code_check CHECK ((country_code ~ '^[A-Z]{2}$'::text))
  constraint account_default_currency_code_check CHECK ((default_currency_code ~ '^[A-Z]{3}$'::text))
  constraint account_email_check CHECK ((length(email) <= 512))
  constraint account_fee_basis_points_check CHECK (((fee_basis_points >= 0) AND (fee_basis_points <= 10000)))
  constraint account_fee_fixed_minor_check CHECK (((fee_fixed_minor >= 0) AND (fee_fixed_minor <= 1000000)))
  constraint account_merchant_category_check CHECK ((merchant_category ~ '^[0-9]{4}$'::text))
  constraint account_merchant_id_check CHECK ((merchant_id ~ '^[ -~]{0,15}$'::text))
  constraint account_name_check CHECK ((length(name) <= 500))
  constraint account_pkey PRIMARY KEY (account_id)
  constraint account_terminal_id_check CHECK ((terminal_id ~ '^[ -~]{0,8}$'::text))
  constraint account_time_zone_check CHECK (((length(time_zone) >= 1) AND (length(time_zone) <= 64)))
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table alert -- Something that a person must look at, such as two banks' answers that disagree.
  account_id text not null
  alert_id text not null
  reason text not null
  object_id text not null
  details jsonb not null
  create_time timestamp with time zone not null
  resolve_time timestamp with time zone
  constraint alert_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint alert_pkey PRIMARY KEY (account_id, alert_id)
  index alert_open ON tripe.alert USING btree (reason) WHERE (resolve_time IS NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table api_key -- A key of the public API; only the SHA-256 of its text is kept.
  account_id text not null
  api_key_id text not null
  key_sha256 bytea not null
  kind text not null
  last4 text not null
  create_time timestamp with time zone not null
  expire_time timestamp with time zone
  revoke_time timestamp with time zone
  name text not null default ''::text
  scopes text[] not null default '{}'::text[] -- What a restricted key may do: "<resource>:read" or "<resource>:write", where write includes read.
  constraint api_key_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint api_key_check CHECK (((kind = 'restricted'::text) OR (scopes = '{}'::text[])))
  constraint api_key_key_sha256_check CHECK ((length(key_sha256) = 32))
  constraint api_key_key_sha256_key UNIQUE (key_sha256)
  constraint api_key_kind_check CHECK ((kind = ANY (ARRAY['secret'::text, 'publishable'::text, 'restricted'::text])))
  constraint api_key_last4_check CHECK ((length(last4) <= 4))
  constraint api_key_name_check CHECK ((length(name) <= 100))
  constraint api_key_pkey PRIMARY KEY (account_id, api_key_id)
  constraint api_key_scopes_check CHECK ((cardinality(scopes) <= 20))
  index api_key_create_time ON tripe.api_key USING btree (account_id, api_key_id) WHERE (revoke_time IS NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table attempt -- One thing asked of a bank, and its own job in the queue of what is unfinished: due at resolve_time while pending.
  account_id text not null
  attempt_id text not null
  kind text not null
  state text not null
  charge_id text not null
  return_id text
  payment_method_id text not null
  bank_ref text not null
  original_bank_ref text not null
  amount_minor bigint not null
  currency_code character(3) not null
  fence integer not null
  tries integer not null
  bank text not null
  lease_end_time timestamp with time zone
  resolve_time timestamp with time zone
  outcome text
  decline_reason text
  response_code text
  authorization_code text not null
  network_reference text not null
  create_time timestamp with time zone not null
  settle_time timestamp with time zone
  is_automatic boolean not null default false -- Opened by Tripe itself: gives back what a bank took after Tripe had given the attempt up.
  begin_time timestamp with time zone not null default statement_timestamp() -- When it was begun, by the machine's time: how long the bank has been asked does not move with a test clock.
  request_id text -- The request a capture was asked for by; null for others.
  tell_time timestamp with time zone -- When its charge or return was told of as pending, because its end was not known in time (the machine's time); null when the end alone is told.
  trace_number integer default nextval('attempt_trace_number'::regclass) -- ISO 8583 element 11 of its messages; null of what was begun before these were kept.
  constraint attempt_account_id_charge_id_fkey FOREIGN KEY (account_id, charge_id) REFERENCES charge(account_id, charge_id)
  constraint attempt_account_id_payment_method_id_fkey FOREIGN KEY (account_id, payment_method_id) REFERENCES payment_method(account_id, payment_method_id)
  constraint attempt_account_id_request_id_fkey FOREIGN KEY (account_id, request_id) REFERENCES idempotency(account_id, request_id)
  constraint attempt_account_id_return_id_fkey FOREIGN KEY (account_id, return_id) REFERENCES charge_return(account_id, return_id)
  constraint attempt_amount_minor_check CHECK ((amount_minor > 0))
  constraint attempt_automatic_check CHECK (((NOT is_automatic) OR ((kind = ANY (ARRAY['refund'::text, 'reverse'::text])) AND (return_id IS NULL))))
  constraint attempt_bank_ref_check CHECK (((length(bank_ref) >= 1) AND (length(bank_ref) <= 40)))
  constraint attempt_bank_ref_own CHECK ((bank_ref = attempt_id))
  constraint attempt_check2 CHECK (((state = 'succeeded'::text) = (NOT (outcome IS DISTINCT FROM 'accepted'::text))))
  constraint attempt_due_check CHECK (
CASE state
    WHEN 'pending'::text THEN (resolve_time IS NOT NULL)
    WHEN 'given_up'::text THEN true
    ELSE (resolve_time IS NULL)
END)
  constraint attempt_fence_check CHECK ((fence >= 1))
  constraint attempt_final_check CHECK (((state = ANY (ARRAY['pending'::text, 'given_up'::text])) = (outcome IS NULL)))
  constraint attempt_kind_check CHECK ((kind = ANY (ARRAY['purchase'::text, 'authorize'::text, 'capture'::text, 'reverse'::text, 'refund'::text])))
  constraint attempt_outcome_check CHECK ((outcome = ANY (ARRAY['accepted'::text, 'declined'::text, 'not_sent'::text])))
  constraint attempt_pkey PRIMARY KEY (account_id, attempt_id)
  constraint attempt_refund_check CHECK (((kind <> 'refund'::text) OR (return_id IS NOT NULL) OR is_automatic))
  constraint attempt_request CHECK (((request_id IS NOT NULL) = (kind = 'capture'::text)))
  constraint attempt_return_check CHECK (((return_id IS NULL) OR (kind = ANY (ARRAY['refund'::text, 'reverse'::text]))))
  constraint attempt_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'given_up'::text, 'succeeded'::text, 'failed'::text])))
  constraint attempt_trace_number_check CHECK (((trace_number >= 1) AND (trace_number <= 999999)))
  constraint attempt_tries_check CHECK ((tries >= 0))
  index attempt_charge ON tripe.attempt USING btree (account_id, charge_id) WHERE (kind = ANY (ARRAY['purchase'::text, 'authorize'::text])) unique
  index attempt_due ON tripe.attempt USING btree (resolve_time) WHERE (resolve_time IS NOT NULL)
  index attempt_ending ON tripe.attempt USING btree (account_id, charge_id) WHERE ((kind = ANY (ARRAY['capture'::text, 'reverse'::text])) AND (state = ANY (ARRAY['pending'::text, 'succeeded'::text]))) unique
  index attempt_request ON tripe.attempt USING btree (account_id, request_id) WHERE (request_id IS NOT NULL) unique
  index attempt_return ON tripe.attempt USING btree (account_id, return_id) WHERE (return_id IS NOT NULL) unique
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

sequence attempt_trace_number
  grant usage to tripe_writer

table charge -- Money asked of a card, once: pending, then succeeded or failed for good.
  account_id text not null
  charge_id text not null
  revision integer not null
  state text not null
  amount_minor bigint not null
  currency_code character(3) not null
  captured_minor bigint not null
  returned_minor bigint not null
  customer_id text
  payment_method_id text not null
  token_id text
  is_from_source boolean not null
  decline_reason text
  response_code text
  description text not null
  metadata jsonb not null
  receipt_email text not null
  statement_descriptor text not null
  statement_descriptor_suffix text not null
  transfer_group text not null
  shipping jsonb
  authorization_code text not null
  ledger_transfer_id text
  request_id text not null
  create_time timestamp with time zone not null
  settle_time timestamp with time zone
  invoice_id text
  is_held boolean not null default false -- The bank was first asked only to hold the money (capture=false); a capture takes it, once, until capture_before_time.
  capture_before_time timestamp with time zone
  release_time timestamp with time zone -- When what was held was let go, whole: voided by the merchant, or expired.
  is_hold_open boolean not null generated as ((is_held AND (state = 'succeeded'::text) AND (captured_minor = 0) AND (release_time IS NULL))) -- The money is held and neither captured nor let go.
  constraint charge_account_id_customer_id_fkey FOREIGN KEY (account_id, customer_id) REFERENCES customer(account_id, customer_id)
  constraint charge_account_id_invoice_id_fkey FOREIGN KEY (account_id, invoice_id) REFERENCES invoice(account_id, invoice_id)
  constraint charge_account_id_payment_method_id_fkey FOREIGN KEY (account_id, payment_method_id) REFERENCES payment_method(account_id, payment_method_id)
  constraint charge_account_id_request_id_fkey FOREIGN KEY (account_id, request_id) REFERENCES idempotency(account_id, request_id)
  constraint charge_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '9007199254740991'::bigint)))
  constraint charge_booked_check CHECK (((captured_minor > 0) = (ledger_transfer_id IS NOT NULL)))
  constraint charge_capture_before_check CHECK (((is_held AND (state = 'succeeded'::text)) = (capture_before_time IS NOT NULL)))
  constraint charge_check CHECK (((captured_minor >= 0) AND (captured_minor <= amount_minor)))
  constraint charge_check1 CHECK (((returned_minor >= 0) AND (returned_minor <= captured_minor)))
  constraint charge_check2 CHECK (((state = 'pending'::text) = (settle_time IS NULL)))
  constraint charge_check4 CHECK (((state = 'failed'::text) = (decline_reason IS NOT NULL)))
  constraint charge_check5 CHECK (((state = 'succeeded'::text) OR (captured_minor = 0)))
  constraint charge_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint charge_description_check CHECK ((length(description) <= 5000))
  constraint charge_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint charge_pkey PRIMARY KEY (account_id, charge_id)
  constraint charge_receipt_email_check CHECK ((length(receipt_email) <= 512))
  constraint charge_release_check CHECK (((release_time IS NULL) OR (is_held AND (state = 'succeeded'::text) AND (captured_minor = 0))))
  constraint charge_revision_check CHECK ((revision >= 1))
  constraint charge_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'succeeded'::text, 'failed'::text])))
  constraint charge_statement_descriptor_check CHECK ((length(statement_descriptor) <= 22))
  constraint charge_statement_descriptor_suffix_check CHECK ((length(statement_descriptor_suffix) <= 22))
  constraint charge_taken_check CHECK ((is_held OR ((state = 'succeeded'::text) = (captured_minor > 0))))
  constraint charge_transfer_group_check CHECK ((length(transfer_group) <= 500))
  index charge_create_time ON tripe.charge USING btree (account_id, create_time, charge_id)
  index charge_customer ON tripe.charge USING btree (account_id, customer_id, charge_id) WHERE (customer_id IS NOT NULL)
  index charge_hold ON tripe.charge USING btree (capture_before_time) WHERE is_hold_open
  index charge_token ON tripe.charge USING btree (account_id, token_id) WHERE (token_id IS NOT NULL) unique
  index charge_transfer_group ON tripe.charge USING btree (account_id, transfer_group, charge_id) WHERE (transfer_group <> ''::text)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table charge_return -- Money of a charge given back. The amount is held back on the charge from the first commit on.
  account_id text not null
  return_id text not null
  revision integer not null
  charge_id text not null
  state text not null
  amount_minor bigint not null
  currency_code character(3) not null
  reason text not null
  decline_reason text
  response_code text
  metadata jsonb not null
  network_reference text not null
  ledger_transfer_id text
  request_id text not null
  create_time timestamp with time zone not null
  settle_time timestamp with time zone
  is_release boolean not null default false -- The charge was only held: nothing was booked, and the bank lets the hold go.
  constraint charge_return_account_id_charge_id_fkey FOREIGN KEY (account_id, charge_id) REFERENCES charge(account_id, charge_id)
  constraint charge_return_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint charge_return_account_id_request_id_fkey FOREIGN KEY (account_id, request_id) REFERENCES idempotency(account_id, request_id)
  constraint charge_return_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '9007199254740991'::bigint)))
  constraint charge_return_booked_check CHECK ((((state = 'succeeded'::text) AND (NOT is_release)) = (ledger_transfer_id IS NOT NULL)))
  constraint charge_return_check CHECK (((state = 'pending'::text) = (settle_time IS NULL)))
  constraint charge_return_check2 CHECK (((state = 'failed'::text) = (decline_reason IS NOT NULL)))
  constraint charge_return_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint charge_return_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint charge_return_pkey PRIMARY KEY (account_id, return_id)
  constraint charge_return_reason_check CHECK ((reason = ANY (ARRAY[''::text, 'duplicate'::text, 'fraudulent'::text, 'requested_by_customer'::text])))
  constraint charge_return_revision_check CHECK ((revision >= 1))
  constraint charge_return_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text])))
  index charge_return_charge ON tripe.charge_return USING btree (account_id, charge_id, return_id)
  index charge_return_create_time ON tripe.charge_return USING btree (account_id, create_time, return_id)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table collection_claim -- The one charge by which a request had an invoice paid, or tried to: begun by it, or found to have paid the invoice already.
  account_id text not null
  request_id text not null
  request_digest bytea not null
  invoice_id text not null
  charge_id text not null
  create_time timestamp with time zone not null
  constraint collection_claim_account_id_charge_id_fkey FOREIGN KEY (account_id, charge_id) REFERENCES charge(account_id, charge_id)
  constraint collection_claim_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint collection_claim_account_id_invoice_id_fkey FOREIGN KEY (account_id, invoice_id) REFERENCES invoice(account_id, invoice_id)
  constraint collection_claim_pkey PRIMARY KEY (account_id, request_id)
  constraint collection_claim_request_id_check CHECK (((length(request_id) >= 1) AND (length(request_id) <= 300)))
  index collection_claim_invoice ON tripe.collection_claim USING btree (account_id, invoice_id, request_id)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table customer -- Somebody a merchant charges. A deleted one stays, with its delete_time, for the charges that name it.
  account_id text not null
  customer_id text not null
  email text not null
  name text not null
  phone text not null
  description text not null
  address jsonb
  shipping jsonb
  metadata jsonb not null
  default_payment_method_id text
  is_default_from_source boolean not null default false
  invoice_prefix text not null
  preferred_locales text[] not null default '{}'::text[]
  test_clock_id text
  create_time timestamp with time zone not null
  delete_time timestamp with time zone
  next_invoice_sequence integer not null default 1
  currency_code text -- ISO 4217 in upper case: that of the first subscription, invoice or invoice item; null before one.
  constraint customer_account_id_default_payment_method_id_fkey FOREIGN KEY (account_id, default_payment_method_id) REFERENCES payment_method(account_id, payment_method_id)
  constraint customer_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint customer_account_id_test_clock_id_fkey FOREIGN KEY (account_id, test_clock_id) REFERENCES test_clock(account_id, test_clock_id)
  constraint customer_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint customer_description_check CHECK ((length(description) <= 5000))
  constraint customer_email_check CHECK ((length(email) <= 512))
  constraint customer_invoice_prefix_check CHECK ((invoice_prefix ~ '^[A-Z0-9]{3,12}$'::text))
  constraint customer_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint customer_name_check CHECK ((length(name) <= 256))
  constraint customer_next_invoice_sequence_check CHECK ((next_invoice_sequence >= 1))
  constraint customer_phone_check CHECK ((length(phone) <= 20))
  constraint customer_pkey PRIMARY KEY (account_id, customer_id)
  index customer_create_time ON tripe.customer USING btree (account_id, create_time, customer_id)
  index customer_email ON tripe.customer USING btree (account_id, email, customer_id)
  index customer_test_clock ON tripe.customer USING btree (account_id, test_clock_id) WHERE (test_clock_id IS NOT NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table delivery -- One event on its way to one endpoint, and its own job: due at due_time (the machine's time) until it was delivered, the endpoint was disabled, or its backoff schedule ended (dead).
  account_id text not null
  event_id text not null
  webhook_endpoint_id text not null
  state text not null
  turn integer not null -- How often it was made due or leased: fences off a try of an earlier lease.
  rung integer not null -- How many tries have failed since its backoff schedule was begun.
  due_time timestamp with time zone
  body bytea -- The bytes of the first attempt, posted again at every later one.
  status integer not null default 0
  problem text not null default ''::text
  create_time timestamp with time zone not null
  try_time timestamp with time zone
  lease_count integer not null default 0 -- How often it was leased since a try last came to something: what a fault of Tripe's own is counted by.
  constraint delivery_account_id_event_id_fkey FOREIGN KEY (account_id, event_id) REFERENCES event(account_id, event_id)
  constraint delivery_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint delivery_account_id_webhook_endpoint_id_fkey FOREIGN KEY (account_id, webhook_endpoint_id) REFERENCES webhook_endpoint(account_id, webhook_endpoint_id)
  constraint delivery_body_check CHECK ((length(body) <= 1048576))
  constraint delivery_check CHECK (((state = 'due'::text) = (due_time IS NOT NULL)))
  constraint delivery_lease_count_check CHECK ((lease_count >= 0))
  constraint delivery_pkey PRIMARY KEY (account_id, event_id, webhook_endpoint_id)
  constraint delivery_problem_check CHECK ((length(problem) <= 500))
  constraint delivery_rung_check CHECK ((rung >= 0))
  constraint delivery_state_check CHECK ((state = ANY (ARRAY['due'::text, 'delivered'::text, 'disabled'::text, 'dead'::text])))
  constraint delivery_turn_check CHECK ((turn >= 1))
  index delivery_dead ON tripe.delivery USING btree (account_id, webhook_endpoint_id, event_id) WHERE (state = 'dead'::text)
  index delivery_due ON tripe.delivery USING btree (account_id, webhook_endpoint_id, due_time, event_id) WHERE (state = 'due'::text)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table event -- Something that happened, with the noun as it was in that commit (a Snapshot's bytes). Without dispatch_time it is an outbox row.
  account_id text not null
  event_id text not null
  type text not null
  object_id text not null
  snapshot bytea not null
  public_request_id text not null
  idempotency_key text not null -- The Idempotency-Key of the public request, as the merchant sent it; empty when it sent none, or no request is behind this. Events from before this migration name an internal request id.
  create_time timestamp with time zone not null
  dispatch_time timestamp with time zone -- When it was taken up; set as it is written when no endpoint hears of it and it causes no mail. Null: an outbox row.
  previous bytea -- The noun as it was before the change that a "….updated" event tells of (a Snapshot's bytes); null for all others.
  write_time timestamp with time zone not null default statement_timestamp() -- When it was written (the machine's time); of those of an earlier Tripe, when it was updated.
  constraint event_pkey PRIMARY KEY (account_id, event_id)
  constraint event_type_check CHECK (((length(type) >= 1) AND (length(type) <= 64)))
  index event_type ON tripe.event USING btree (account_id, type, create_time, event_id)
  index event_undispatched ON tripe.event USING btree (account_id, event_id) WHERE (dispatch_time IS NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table heartbeat -- One row, written anew whenever health is asked for: a write that commits proves that charges can be.
  heartbeat_id integer not null
  beat_time timestamp with time zone not null
  constraint heartbeat_heartbeat_id_check CHECK ((heartbeat_id = 1))
  constraint heartbeat_pkey PRIMARY KEY (heartbeat_id)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table heartbeat_page -- Always empty: each heartbeat adds one page to it and rolls that back, since a full disk shows only when a file grows.
  bytes bytea not null
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table idempotency -- What each request id was used for, and the noun it was answered with (a Snapshot's bytes). An answer that is null is still being made.
  account_id text not null
  request_id text not null
  request_digest bytea not null
  noun_id text not null
  answer bytea
  public_request_id text not null
  create_time timestamp with time zone not null
  finish_time timestamp with time zone
  client_key text not null default ''::text -- The Idempotency-Key of the public request, as the merchant sent it; empty when it sent none, or no request is behind this.
  constraint idempotency_check CHECK (((answer IS NULL) = (finish_time IS NULL)))
  constraint idempotency_client_key_check CHECK ((length(client_key) <= 255))
  constraint idempotency_pkey PRIMARY KEY (account_id, request_id)
  constraint idempotency_request_id_check CHECK (((length(request_id) >= 1) AND (length(request_id) <= 300)))
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table invoice -- A bill, and its own job in the queue of collections: due at next_attempt_time (business time) to be finalized while a draft, to be collected while open. One per subscription and period.
  account_id text not null
  invoice_id text not null
  revision integer not null
  state text not null
  number text
  sequence integer
  customer_id text not null
  subscription_id text
  period_index integer
  currency_code character(3) not null
  customer_details jsonb
  subtotal_minor bigint not null
  discount_minor bigint not null
  total_minor bigint not null
  amount_due_minor bigint not null
  paid_minor bigint not null
  description text not null
  footer text not null
  metadata jsonb not null
  billing_reason text not null
  collection_method text not null
  is_auto_advancing boolean not null
  days_until_due integer not null
  due_time timestamp with time zone
  period_start_time timestamp with time zone not null
  period_end_time timestamp with time zone not null
  default_payment_method_id text
  attempt_count integer not null
  next_attempt_time timestamp with time zone
  lease_end_time timestamp with time zone
  charge_id text
  is_paid_out_of_band boolean not null
  create_time timestamp with time zone not null
  finalize_time timestamp with time zone
  pay_time timestamp with time zone
  void_time timestamp with time zone
  uncollectible_time timestamp with time zone
  send_time timestamp with time zone
  pdf_sha256 bytea
  subscription_metadata jsonb -- The metadata of the subscription when the invoice was finalized; null for a draft.
  is_provisional boolean not null default false -- Whether it is the first invoice of a provisional subscription.
  constraint invoice_account_id_customer_id_fkey FOREIGN KEY (account_id, customer_id) REFERENCES customer(account_id, customer_id)
  constraint invoice_account_id_customer_id_sequence_key UNIQUE (account_id, customer_id, sequence)
  constraint invoice_account_id_default_payment_method_id_fkey FOREIGN KEY (account_id, default_payment_method_id) REFERENCES payment_method(account_id, payment_method_id)
  constraint invoice_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint invoice_account_id_subscription_id_fkey FOREIGN KEY (account_id, subscription_id) REFERENCES subscription(account_id, subscription_id)
  constraint invoice_account_id_subscription_id_period_index_key UNIQUE (account_id, subscription_id, period_index)
  constraint invoice_amount_due_minor_check CHECK ((amount_due_minor >= 0))
  constraint invoice_attempt_count_check CHECK ((attempt_count >= 0))
  constraint invoice_billing_reason_check CHECK ((billing_reason = ANY (ARRAY['manual'::text, 'subscription_create'::text, 'subscription_cycle'::text, 'automatic_pending_invoice_item_invoice'::text])))
  constraint invoice_check CHECK (((paid_minor >= 0) AND (paid_minor <= amount_due_minor)))
  constraint invoice_check1 CHECK (((subscription_id IS NULL) = (period_index IS NULL)))
  constraint invoice_check2 CHECK ((((state = 'draft'::text) OR is_provisional) = (number IS NULL)))
  constraint invoice_check3 CHECK (((number IS NULL) = (sequence IS NULL)))
  constraint invoice_check4 CHECK (((number IS NULL) = (finalize_time IS NULL)))
  constraint invoice_check5 CHECK (((state = 'paid'::text) = (pay_time IS NOT NULL)))
  constraint invoice_check6 CHECK (((state = 'void'::text) = (void_time IS NOT NULL)))
  constraint invoice_check7 CHECK (((state <> 'paid'::text) OR (paid_minor = amount_due_minor)))
  constraint invoice_check8 CHECK (((state = 'paid'::text) OR (paid_minor = 0)))
  constraint invoice_collection_method_check CHECK ((collection_method = ANY (ARRAY['charge_automatically'::text, 'send_invoice'::text])))
  constraint invoice_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint invoice_days_until_due_check CHECK (((days_until_due >= 0) AND (days_until_due <= 730)))
  constraint invoice_description_check CHECK ((length(description) <= 5000))
  constraint invoice_discount_minor_check CHECK ((discount_minor >= 0))
  constraint invoice_footer_check CHECK ((length(footer) <= 5000))
  constraint invoice_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint invoice_number_check CHECK (((length(number) >= 1) AND (length(number) <= 40)))
  constraint invoice_pdf_sha256_check CHECK ((length(pdf_sha256) = 32))
  constraint invoice_pkey PRIMARY KEY (account_id, invoice_id)
  constraint invoice_provisional_check CHECK (((NOT is_provisional) OR (state = ANY (ARRAY['draft'::text, 'open'::text]))))
  constraint invoice_revision_check CHECK ((revision >= 1))
  constraint invoice_sequence_check CHECK ((sequence >= 1))
  constraint invoice_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'open'::text, 'paid'::text, 'uncollectible'::text, 'void'::text])))
  constraint invoice_subscription_metadata_check CHECK ((jsonb_typeof(subscription_metadata) = 'object'::text))
  index invoice_create_time ON tripe.invoice USING btree (account_id, create_time, invoice_id)
  index invoice_customer ON tripe.invoice USING btree (account_id, customer_id, invoice_id)
  index invoice_due ON tripe.invoice USING btree (next_attempt_time) WHERE ((next_attempt_time IS NOT NULL) AND (state = ANY (ARRAY['draft'::text, 'open'::text])))
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table invoice_item -- What a customer owes, pending until a draft takes it.
  account_id text not null
  invoice_item_id text not null
  customer_id text not null
  invoice_id text
  currency_code character(3) not null
  amount_minor bigint not null
  quantity bigint not null
  unit_amount_minor bigint
  price_id text
  description text not null
  period_start_time timestamp with time zone not null
  period_end_time timestamp with time zone not null
  metadata jsonb not null
  create_time timestamp with time zone not null
  constraint invoice_item_account_id_customer_id_fkey FOREIGN KEY (account_id, customer_id) REFERENCES customer(account_id, customer_id)
  constraint invoice_item_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint invoice_item_account_id_invoice_id_fkey FOREIGN KEY (account_id, invoice_id) REFERENCES invoice(account_id, invoice_id)
  constraint invoice_item_account_id_price_id_fkey FOREIGN KEY (account_id, price_id) REFERENCES price(account_id, price_id)
  constraint invoice_item_amount_minor_check CHECK (((amount_minor >= '-9007199254740991'::bigint) AND (amount_minor <= '9007199254740991'::bigint)))
  constraint invoice_item_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint invoice_item_description_check CHECK ((length(description) <= 5000))
  constraint invoice_item_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint invoice_item_pkey PRIMARY KEY (account_id, invoice_item_id)
  constraint invoice_item_quantity_check CHECK (((quantity >= 0) AND (quantity <= 999999999)))
  index invoice_item_customer ON tripe.invoice_item USING btree (account_id, customer_id, invoice_item_id)
  index invoice_item_invoice ON tripe.invoice_item USING btree (account_id, invoice_id, invoice_item_id) WHERE (invoice_id IS NOT NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table invoice_line -- The lines of an invoice, in order of position.
  account_id text not null
  invoice_line_id text not null
  invoice_id text not null
  position integer not null
  description text not null
  quantity bigint not null
  unit_amount_minor bigint
  amount_minor bigint not null
  price_id text
  subscription_item_id text
  invoice_item_id text
  period_start_time timestamp with time zone
  period_end_time timestamp with time zone
  metadata jsonb not null
  constraint invoice_line_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint invoice_line_account_id_invoice_id_fkey FOREIGN KEY (account_id, invoice_id) REFERENCES invoice(account_id, invoice_id)
  constraint invoice_line_account_id_invoice_id_position_key UNIQUE (account_id, invoice_id, "position")
  constraint invoice_line_account_id_invoice_item_id_fkey FOREIGN KEY (account_id, invoice_item_id) REFERENCES invoice_item(account_id, invoice_item_id)
  constraint invoice_line_account_id_price_id_fkey FOREIGN KEY (account_id, price_id) REFERENCES price(account_id, price_id)
  constraint invoice_line_account_id_subscription_item_id_fkey FOREIGN KEY (account_id, subscription_item_id) REFERENCES subscription_item(account_id, subscription_item_id)
  constraint invoice_line_amount_minor_check CHECK (((amount_minor >= '-9007199254740991'::bigint) AND (amount_minor <= '9007199254740991'::bigint)))
  constraint invoice_line_description_check CHECK ((length(description) <= 5000))
  constraint invoice_line_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint invoice_line_pkey PRIMARY KEY (account_id, invoice_line_id)
  constraint invoice_line_position_check CHECK (("position" >= 0))
  constraint invoice_line_quantity_check CHECK (((quantity >= 0) AND (quantity <= 999999999)))
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table invoice_payment -- The payments of an invoice: by a charge, or out of band. At most one is under way.
  account_id text not null
  invoice_payment_id text not null
  invoice_id text not null
  charge_id text
  amount_minor bigint not null
  currency_code character(3) not null
  state text not null
  create_time timestamp with time zone not null
  pay_time timestamp with time zone
  is_counted boolean not null default true -- Whether its failure moves the schedule of retries: the schedule began it, or it was the first. What a person tries after that does not.
  constraint invoice_payment_account_id_charge_id_fkey FOREIGN KEY (account_id, charge_id) REFERENCES charge(account_id, charge_id)
  constraint invoice_payment_account_id_charge_id_key UNIQUE (account_id, charge_id)
  constraint invoice_payment_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint invoice_payment_account_id_invoice_id_fkey FOREIGN KEY (account_id, invoice_id) REFERENCES invoice(account_id, invoice_id)
  constraint invoice_payment_amount_minor_check CHECK ((amount_minor > 0))
  constraint invoice_payment_check CHECK (((state = 'paid'::text) = (pay_time IS NOT NULL)))
  constraint invoice_payment_pkey PRIMARY KEY (account_id, invoice_payment_id)
  constraint invoice_payment_state_check CHECK ((state = ANY (ARRAY['open'::text, 'paid'::text, 'canceled'::text])))
  index invoice_payment_invoice ON tripe.invoice_payment USING btree (account_id, invoice_id, invoice_payment_id)
  index invoice_payment_open ON tripe.invoice_payment USING btree (account_id, invoice_id) WHERE (state = 'open'::text) unique
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table key_fingerprint -- The keys that are live for this database, by a hash of each; never a key. "fingerprint" is the key of cards' fingerprints.
  kind text not null
  key_id text not null
  create_time timestamp with time zone not null -- Since when it is in use (the machine's time).
  retire_time timestamp with time zone -- Since when nothing needs it; null while it is live.
  constraint key_fingerprint_key_id_check CHECK ((key_id ~ '^[0-9a-f]{8}$'::text))
  constraint key_fingerprint_kind_check CHECK ((kind = ANY (ARRAY['card'::text, 'fingerprint'::text, 'request'::text, 'database'::text, 'webhook'::text])))
  constraint key_fingerprint_pkey PRIMARY KEY (kind, key_id)

table ledger_entry -- One side of a transfer: debits positive, credits negative. bank_clearing is what the banks owe, merchant_balance what is owed to the merchant, fees what Tripe earned, suspense what a bank took late and is being given back.
  account_id text not null
  ledger_transfer_id text not null
  ledger_account text not null
  currency_code character(3) not null
  amount_minor bigint not null
  constraint ledger_entry_account_id_ledger_transfer_id_fkey FOREIGN KEY (account_id, ledger_transfer_id) REFERENCES ledger_transfer(account_id, ledger_transfer_id)
  constraint ledger_entry_amount_minor_check CHECK ((amount_minor <> 0))
  constraint ledger_entry_ledger_account_check CHECK ((ledger_account = ANY (ARRAY['bank_clearing'::text, 'merchant_balance'::text, 'fees'::text, 'suspense'::text])))
  constraint ledger_entry_pkey PRIMARY KEY (account_id, ledger_transfer_id, ledger_account, currency_code)
  TRIGGER ledger_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON tripe.ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
  TRIGGER ledger_entry_balance AFTER INSERT ON tripe.ledger_entry REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_balance()
  grant select to tripe_audit
  grant select to tripe_reader
  grant insert, select to tripe_writer

table ledger_transfer -- One booking. Never changed: a correction is a new transfer.
  account_id text not null
  ledger_transfer_id text not null
  kind text not null
  charge_id text not null
  return_id text
  attempt_id text not null
  create_time timestamp with time zone not null
  constraint ledger_transfer_account_id_attempt_id_fkey FOREIGN KEY (account_id, attempt_id) REFERENCES attempt(account_id, attempt_id)
  constraint ledger_transfer_account_id_attempt_id_key UNIQUE (account_id, attempt_id)
  constraint ledger_transfer_check CHECK (((kind = 'return'::text) = (return_id IS NOT NULL)))
  constraint ledger_transfer_kind_check CHECK ((kind = ANY (ARRAY['charge'::text, 'return'::text, 'late_charge'::text, 'late_return'::text])))
  constraint ledger_transfer_pkey PRIMARY KEY (account_id, ledger_transfer_id)
  TRIGGER ledger_transfer_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON tripe.ledger_transfer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
  grant select to tripe_audit
  grant select to tripe_reader
  grant insert, select to tripe_writer

table mail -- A mail, and its own job: due at due_time (the machine's time) until it was sent, was given up (nobody ever takes it), or was tried for five days (dead). Its id is its key: the Message-ID follows from it.
  account_id text not null
  mail_id text not null
  kind text not null
  object_id text not null -- The invoice, the event of the receipt or of the return, or the endpoint.
  invoice_id text -- Of an invoice, its id once more, as a key.
  request_id text -- Of an invoice, the request that asked for the mail; its own id when finalizing did.
  state text not null
  tries integer not null -- How often it was leased since it was made or redriven: fences off a try of an earlier lease.
  due_time timestamp with time zone
  message_id text
  pdf_sha256 bytea
  problem text not null default ''::text
  create_time timestamp with time zone not null -- When it was made; of an endpoint, when that was disabled.
  send_time timestamp with time zone
  constraint mail_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint mail_account_id_invoice_id_fkey FOREIGN KEY (account_id, invoice_id) REFERENCES invoice(account_id, invoice_id)
  constraint mail_account_id_request_id_key UNIQUE (account_id, request_id)
  constraint mail_check CHECK (((state = 'due'::text) = (due_time IS NOT NULL)))
  constraint mail_check1 CHECK (((state = 'sent'::text) = (send_time IS NOT NULL)))
  constraint mail_check2 CHECK (((kind = 'invoice'::text) = (request_id IS NOT NULL)))
  constraint mail_check3 CHECK ((((kind = 'invoice'::text) = (invoice_id IS NOT NULL)) AND ((invoice_id IS NULL) OR (invoice_id = object_id))))
  constraint mail_kind_check CHECK ((kind = ANY (ARRAY['invoice'::text, 'receipt'::text, 'return_notice'::text, 'disabled_endpoint'::text])))
  constraint mail_mail_id_check CHECK (((length(mail_id) >= 1) AND (length(mail_id) <= 300)))
  constraint mail_pdf_sha256_check CHECK ((length(pdf_sha256) = 32))
  constraint mail_pkey PRIMARY KEY (account_id, mail_id)
  constraint mail_problem_check CHECK ((length(problem) <= 500))
  constraint mail_state_check CHECK ((state = ANY (ARRAY['due'::text, 'sent'::text, 'given_up'::text, 'dead'::text])))
  constraint mail_tries_check CHECK ((tries >= 0))
  index mail_dead ON tripe.mail USING btree (account_id, mail_id) WHERE (state = 'dead'::text)
  index mail_due ON tripe.mail USING btree (account_id, due_time) WHERE (state = 'due'::text)
  index mail_invoice ON tripe.mail USING btree (account_id, invoice_id, mail_id) WHERE (invoice_id IS NOT NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table migration -- The migration files applied to this database, each with the hash of its text.
  number integer not null
  name text not null
  sha256 text not null
  apply_time timestamp with time zone not null default now()
  constraint migration_pkey PRIMARY KEY (number)
  grant select to tripe_audit

table payment_method -- A card as the bank service sealed it, with what may be shown of it.
  account_id text not null
  payment_method_id text not null
  customer_id text
  brand text not null
  last4 text not null
  exp_month smallint not null
  exp_year smallint not null
  funding text not null
  country_code text not null
  fingerprint text not null
  cvc_check text not null
  verification_decline_reason text
  verification_response_code text
  sealed_card bytea not null
  billing_details jsonb
  metadata jsonb not null
  create_time timestamp with time zone not null
  detach_time timestamp with time zone
  sealed_cvc bytea -- The CVC as the bank service sealed it, until the card is verified at its first use, or for an hour; else null.
  constraint payment_method_account_id_customer_id_fkey FOREIGN KEY (account_id, customer_id) REFERENCES customer(account_id, customer_id)
  constraint payment_method_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint payment_method_check CHECK (((detach_time IS NULL) OR (customer_id IS NULL)))
  constraint payment_method_cvc_check_check CHECK ((cvc_check = ANY (ARRAY['pass'::text, 'fail'::text, 'unavailable'::text, 'unchecked'::text])))
  constraint payment_method_exp_month_check CHECK (((exp_month >= 1) AND (exp_month <= 12)))
  constraint payment_method_exp_year_check CHECK (((exp_year >= 1970) AND (exp_year <= 9999)))
  constraint payment_method_last4_check CHECK ((last4 ~ '^[0-9]{4}$'::text))
  constraint payment_method_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint payment_method_pkey PRIMARY KEY (account_id, payment_method_id)
  constraint payment_method_sealed_card_check CHECK (((length(sealed_card) >= 1) AND (length(sealed_card) <= 2048)))
  constraint payment_method_sealed_cvc_check CHECK (((length(sealed_cvc) >= 1) AND (length(sealed_cvc) <= 2048)))
  index payment_method_customer ON tripe.payment_method USING btree (account_id, customer_id, payment_method_id) WHERE (customer_id IS NOT NULL)
  index payment_method_sealed_cvc ON tripe.payment_method USING btree (create_time) WHERE (sealed_cvc IS NOT NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table price -- What a unit of a product costs. Its amount, currency and interval never change.
  account_id text not null
  price_id text not null
  product_id text not null
  currency_code character(3) not null
  unit_amount_minor bigint not null
  interval_unit text
  interval_count integer
  trial_period_days integer not null
  lookup_key text
  nickname text not null
  is_active boolean not null
  metadata jsonb not null
  create_time timestamp with time zone not null
  constraint price_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint price_account_id_lookup_key_key UNIQUE (account_id, lookup_key)
  constraint price_account_id_product_id_fkey FOREIGN KEY (account_id, product_id) REFERENCES product(account_id, product_id)
  constraint price_check CHECK (((interval_unit IS NULL) = (interval_count IS NULL)))
  constraint price_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint price_interval_count_check CHECK ((interval_count >= 1))
  constraint price_interval_unit_check CHECK ((interval_unit = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text])))
  constraint price_lookup_key_check CHECK (((length(lookup_key) >= 1) AND (length(lookup_key) <= 200)))
  constraint price_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint price_nickname_check CHECK ((length(nickname) <= 5000))
  constraint price_pkey PRIMARY KEY (account_id, price_id)
  constraint price_trial_period_days_check CHECK (((trial_period_days >= 0) AND (trial_period_days <= 730)))
  constraint price_unit_amount_minor_check CHECK (((unit_amount_minor >= 0) AND (unit_amount_minor <= '9007199254740991'::bigint)))
  index price_product ON tripe.price USING btree (account_id, product_id, price_id)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table product -- Something a merchant sells.
  account_id text not null
  product_id text not null
  name text not null
  description text not null
  is_active boolean not null
  metadata jsonb not null
  default_price_id text
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  constraint product_account_id_default_price_id_fkey FOREIGN KEY (account_id, default_price_id) REFERENCES price(account_id, price_id)
  constraint product_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint product_description_check CHECK ((length(description) <= 5000))
  constraint product_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint product_name_check CHECK (((length(name) >= 1) AND (length(name) <= 250)))
  constraint product_pkey PRIMARY KEY (account_id, product_id)
  constraint product_product_id_check CHECK (((length(product_id) >= 1) AND (length(product_id) <= 64)))
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table subscription -- A standing order, and its own job in the queue of renewals: due at renew_time (business time) until it ends. Period n runs from anchor_time + n intervals; -1 is the trial.
  account_id text not null
  subscription_id text not null
  revision integer not null
  customer_id text not null
  state text not null
  currency_code character(3) not null
  interval_unit text not null
  interval_count integer not null
  collection_method text not null
  days_until_due integer not null
  default_payment_method_id text
  anchor_time timestamp with time zone not null
  period_index integer not null
  period_start_time timestamp with time zone not null
  period_end_time timestamp with time zone not null
  trial_start_time timestamp with time zone
  trial_end_time timestamp with time zone
  is_ending_with_period boolean not null
  cancel_time timestamp with time zone
  end_time timestamp with time zone
  latest_invoice_id text
  description text not null
  metadata jsonb not null
  renew_time timestamp with time zone
  lease_end_time timestamp with time zone
  create_time timestamp with time zone not null
  provisional_request_id text -- The request that made it, while it waits for its first payment: then it becomes visible, or is deleted and the request answered anew. Null for all others.
  constraint subscription_account_id_customer_id_fkey FOREIGN KEY (account_id, customer_id) REFERENCES customer(account_id, customer_id)
  constraint subscription_account_id_default_payment_method_id_fkey FOREIGN KEY (account_id, default_payment_method_id) REFERENCES payment_method(account_id, payment_method_id)
  constraint subscription_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint subscription_check CHECK ((period_end_time > period_start_time))
  constraint subscription_check1 CHECK (((trial_start_time IS NULL) = (trial_end_time IS NULL)))
  constraint subscription_check2 CHECK (((state = ANY (ARRAY['canceled'::text, 'incomplete_expired'::text])) = (end_time IS NOT NULL)))
  constraint subscription_check3 CHECK (((end_time IS NULL) OR (renew_time IS NULL)))
  constraint subscription_collection_method_check CHECK ((collection_method = ANY (ARRAY['charge_automatically'::text, 'send_invoice'::text])))
  constraint subscription_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint subscription_days_until_due_check CHECK (((days_until_due >= 0) AND (days_until_due <= 730)))
  constraint subscription_description_check CHECK ((length(description) <= 500))
  constraint subscription_interval_count_check CHECK ((interval_count >= 1))
  constraint subscription_interval_unit_check CHECK ((interval_unit = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text])))
  constraint subscription_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint subscription_period_index_check CHECK ((period_index >= '-1'::integer))
  constraint subscription_pkey PRIMARY KEY (account_id, subscription_id)
  constraint subscription_revision_check CHECK ((revision >= 1))
  constraint subscription_state_check CHECK ((state = ANY (ARRAY['incomplete'::text, 'incomplete_expired'::text, 'trialing'::text, 'active'::text, 'past_due'::text, 'unpaid'::text, 'canceled'::text, 'paused'::text])))
  index subscription_customer ON tripe.subscription USING btree (account_id, customer_id, subscription_id)
  index subscription_due ON tripe.subscription USING btree (renew_time) WHERE (renew_time IS NOT NULL)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table subscription_item -- One price of a subscription, so many times.
  account_id text not null
  subscription_item_id text not null
  subscription_id text not null
  price_id text not null
  quantity bigint not null
  metadata jsonb not null
  create_time timestamp with time zone not null
  constraint subscription_item_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint subscription_item_account_id_price_id_fkey FOREIGN KEY (account_id, price_id) REFERENCES price(account_id, price_id)
  constraint subscription_item_account_id_subscription_id_fkey FOREIGN KEY (account_id, subscription_id) REFERENCES subscription(account_id, subscription_id)
  constraint subscription_item_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint subscription_item_pkey PRIMARY KEY (account_id, subscription_item_id)
  constraint subscription_item_quantity_check CHECK (((quantity >= 0) AND (quantity <= 999999)))
  index subscription_item_price ON tripe.subscription_item USING btree (account_id, price_id, subscription_id)
  index subscription_item_subscription ON tripe.subscription_item USING btree (account_id, subscription_id, subscription_item_id)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table test_clock -- The time that its customers live in, moved by hand; for sandbox accounts.
  account_id text not null
  test_clock_id text not null
  business_time timestamp with time zone not null
  create_time timestamp with time zone not null
  constraint test_clock_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint test_clock_pkey PRIMARY KEY (account_id, test_clock_id)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table token -- Stands for a payment method until its first use.
  account_id text not null
  token_id text not null
  payment_method_id text not null
  create_time timestamp with time zone not null
  use_time timestamp with time zone
  constraint token_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint token_account_id_payment_method_id_fkey FOREIGN KEY (account_id, payment_method_id) REFERENCES payment_method(account_id, payment_method_id)
  constraint token_account_id_payment_method_id_key UNIQUE (account_id, payment_method_id)
  constraint token_pkey PRIMARY KEY (account_id, token_id)
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table webhook_endpoint -- A merchant's server that hears of events of these types, "*" for all. A deleted one stays, with its delete_time, for the deliveries that name it.
  account_id text not null
  webhook_endpoint_id text not null
  url text not null
  event_types text[] not null
  description text not null
  metadata jsonb not null
  disable_reason text
  disable_time timestamp with time zone
  fail_time timestamp with time zone -- When it first failed since an event last reached it (the machine's time); null while all is well.
  match_time timestamp with time zone not null -- Since when it hears of just these types (the machine's time): earlier events were matched otherwise.
  create_time timestamp with time zone not null
  delete_time timestamp with time zone
  api_version text not null default '2026-10-28.endive'::text -- The version of the API that it was made with, in the public API's words; its events bear it. Empty for Tripe's own.
  delivered_count bigint not null default 0 -- How many deliveries it took.
  failed_count bigint not null default 0 -- How many tries it did not take.
  last_failure_time timestamp with time zone -- When it last did not take one (the machine's time).
  last_failure_status integer not null default 0 -- The HTTP status of that try; 0 when none was received.
  last_failure_problem text not null default ''::text
  make_time timestamp with time zone not null default statement_timestamp() -- When it was made (the machine's time): nothing written before is delivered to it by itself.
  constraint webhook_endpoint_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint webhook_endpoint_api_version_check CHECK ((length(api_version) <= 64))
  constraint webhook_endpoint_check CHECK (((disable_reason IS NULL) = (disable_time IS NULL)))
  constraint webhook_endpoint_description_check CHECK ((length(description) <= 5000))
  constraint webhook_endpoint_disable_reason_check CHECK ((disable_reason = ANY (ARRAY['merchant'::text, 'gone'::text, 'failing'::text, 'refused'::text])))
  constraint webhook_endpoint_event_types_check CHECK (((cardinality(event_types) >= 1) AND (cardinality(event_types) <= 300)))
  constraint webhook_endpoint_last_failure_problem_check CHECK ((length(last_failure_problem) <= 500))
  constraint webhook_endpoint_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text))
  constraint webhook_endpoint_pkey PRIMARY KEY (account_id, webhook_endpoint_id)
  constraint webhook_endpoint_url_check CHECK (((length(url) >= 1) AND (length(url) <= 2048)))
  index webhook_endpoint_active ON tripe.webhook_endpoint USING btree (account_id) WHERE ((disable_time IS NULL) AND (delete_time IS NULL))
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

table webhook_secret -- What deliveries are signed with, by the request that made it; a replaced one signs too until its expire_time. Read for a delivery and for the request's own answer, nowhere else.
  account_id text not null
  webhook_endpoint_id text not null
  request_id text not null
  secret text -- In the clear, of an earlier Tripe; sealed at the next start, and then null.
  create_time timestamp with time zone not null
  expire_time timestamp with time zone
  sealed_secret bytea -- AES-256-GCM under the webhook key for account and endpoint; the writer seals, the webhooks service opens.
  constraint webhook_secret_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  constraint webhook_secret_account_id_webhook_endpoint_id_fkey FOREIGN KEY (account_id, webhook_endpoint_id) REFERENCES webhook_endpoint(account_id, webhook_endpoint_id)
  constraint webhook_secret_check CHECK ((num_nonnulls(secret, sealed_secret) = 1))
  constraint webhook_secret_pkey PRIMARY KEY (account_id, webhook_endpoint_id, request_id)
  constraint webhook_secret_request_id_check CHECK (((length(request_id) >= 1) AND (length(request_id) <= 300)))
  constraint webhook_secret_sealed_secret_check CHECK (((length(sealed_secret) >= 34) AND (length(sealed_secret) <= 512)))
  constraint webhook_secret_secret_check CHECK ((secret ~ '^whsec_[0-9A-Za-z]{32}$'::text))
  index webhook_secret_current ON tripe.webhook_secret USING btree (account_id, webhook_endpoint_id) WHERE (expire_time IS NULL) unique
  grant select to tripe_audit
  grant select to tripe_reader
  grant delete, insert, select, update to tripe_writer

CREATE OR REPLACE FUNCTION tripe.business_now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select now() + coalesce(nullif(current_setting('tripe.time_offset', true), '')::interval, interval '0')
$function$
  -- The time of all who are on no test clock. The setting tripe.time_offset is for tests.

CREATE OR REPLACE FUNCTION tripe.business_now(account text, customer text DEFAULT NULL::text)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select coalesce(
    (select t.business_time from tripe.customer c join tripe.test_clock t using (account_id, test_clock_id)
      where c.account_id = account and c.customer_id = customer),
    now() + coalesce(nullif(current_setting('tripe.time_offset', true), '')::interval, interval '0')
  )
$function$
  -- The time an account, or a customer on a test clock, lives in. The setting tripe.time_offset is for tests.

CREATE OR REPLACE FUNCTION tripe.ledger_entries_balance()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (
    select from inserted group by account_id, ledger_transfer_id, currency_code having sum(amount_minor) <> 0
  ) then
    raise exception 'the entries of a transfer must sum to zero in each currency'
      using errcode = 'check_violation', constraint = 'ledger_entry_balance';
  end if;
  return null;
end $function$
  -- Refuses entries that do not sum to zero per transfer and currency. Every insert brings whole transfers.

CREATE OR REPLACE FUNCTION tripe.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $function$
  -- Refuses every change of what is append-only, whoever asks.

CREATE OR REPLACE FUNCTION tripe.write_heartbeat()
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  begin
    -- As large as a row can be without TOAST, so that each has a page of its own.
    insert into tripe.heartbeat_page values (decode(repeat('00', 8000), 'hex'));
    raise exception using errcode = 'TR001';
  exception when sqlstate 'TR001' then null;
  end;
  update tripe.heartbeat set beat_time = statement_timestamp();
end $function$
  -- Writes in each of the ways in which a charge does: a file grows, a row changes, and the commit is flushed.
