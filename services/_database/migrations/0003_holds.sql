-- Charges that are held first and captured or released later, and the truth about attempts that Tripe gave up on.

alter table charge
  add column is_held boolean not null default false,
  add column capture_before_time timestamptz,
  add column release_time timestamptz,
  drop constraint charge_check3,
  add constraint charge_booked_check check ((captured_minor > 0) = (ledger_transfer_id is not null)),
  add constraint charge_taken_check check (is_held or (state = 'succeeded') = (captured_minor > 0)),
  add constraint charge_capture_before_check check ((is_held and state = 'succeeded') = (capture_before_time is not null)),
  add constraint charge_release_check check (release_time is null or (is_held and state = 'succeeded' and captured_minor = 0));
create index charge_hold on charge (capture_before_time)
  where is_held and state = 'succeeded' and captured_minor = 0 and release_time is null;
comment on column charge.is_held is 'The bank was first asked only to hold the money (capture=false); a capture takes it, once, until capture_before_time.';
comment on column charge.release_time is 'When what was held was let go, whole: voided by the merchant, or expired.';

alter table charge_return
  add column is_release boolean not null default false,
  drop constraint charge_return_check1,
  add constraint charge_return_booked_check check ((state = 'succeeded' and not is_release) = (ledger_transfer_id is not null));
comment on column charge_return.is_release is 'The charge was only held: nothing was booked, and the bank lets the hold go.';

alter table attempt
  add column is_automatic boolean not null default false,
  add column begin_time timestamptz not null default statement_timestamp(),
  drop constraint attempt_state_check,
  drop constraint attempt_check,
  drop constraint attempt_check1,
  drop constraint attempt_check3,
  add constraint attempt_state_check check (state in ('pending', 'given_up', 'succeeded', 'failed')),
  add constraint attempt_due_check check (case state when 'pending' then resolve_time is not null when 'given_up' then true else resolve_time is null end),
  add constraint attempt_final_check check ((state in ('pending', 'given_up')) = (outcome is null)),
  add constraint attempt_return_check check (return_id is null or kind in ('refund', 'reverse')),
  add constraint attempt_refund_check check (kind <> 'refund' or return_id is not null or is_automatic),
  add constraint attempt_automatic_check check (not is_automatic or (kind in ('refund', 'reverse') and return_id is null));
drop index attempt_due;
create index attempt_due on attempt (resolve_time) where resolve_time is not null;
create unique index attempt_ending on attempt (account_id, charge_id)
  where kind in ('capture', 'reverse') and state in ('pending', 'succeeded');
comment on column attempt.begin_time is 'When it was begun, by the machine''s time: how long the bank has been asked does not move with a test clock.';
comment on column attempt.is_automatic is 'Opened by Tripe itself: gives back what a bank took after Tripe had given the attempt up.';

create index alert_open on alert (reason) where resolve_time is null;

alter table ledger_transfer
  drop constraint ledger_transfer_kind_check,
  add constraint ledger_transfer_kind_check check (kind in ('charge', 'return', 'late_charge', 'late_return'));
alter table ledger_entry
  drop constraint ledger_entry_ledger_account_check,
  add constraint ledger_entry_ledger_account_check check (ledger_account in ('bank_clearing', 'merchant_balance', 'fees', 'suspense'));
comment on table ledger_entry is 'One side of a transfer: debits positive, credits negative. bank_clearing is what the banks owe, merchant_balance what is owed to the merchant, fees what Tripe earned, suspense what a bank took late and is being given back.';
