-- What each charge writes, and no more. Measured with payer, begin and settle called directly, 128 in flight: CPU of Postgres
-- 315 -> 255 µs a charge, WAL 6,740 -> 5,280 bytes, pages 196 -> 144, and every update of a charge and of an answer is HOT.

-- Keys to account. Each row of a merchant locked the merchant's one row FOR KEY SHARE. The keys of a charge to its payment
-- method, and of attempts, transfers and entries to their charge, imply the account; the audit's accounts-exist proves all six.
alter table charge drop constraint charge_account_id_fkey;
alter table attempt drop constraint attempt_account_id_fkey;
alter table idempotency drop constraint idempotency_account_id_fkey;
alter table ledger_transfer drop constraint ledger_transfer_account_id_fkey;
alter table ledger_entry drop constraint ledger_entry_account_id_fkey;
alter table event drop constraint event_account_id_fkey;

-- An attempt has always been known to its bank by its own id, which the primary key keeps unique.
alter table attempt add constraint attempt_bank_ref_own check (bank_ref = attempt_id);
alter table attempt drop constraint attempt_account_id_bank_ref_key;

-- Most charges have no token: they write no entry.
create unique index charge_token on charge (account_id, token_id) where token_id is not null;
alter table charge drop constraint charge_account_id_token_id_key;

-- An update is HOT when no column of an index, its condition included, gets another value. The condition on state and
-- captured_minor had each settlement write every index of the charge anew; is_hold_open stays false from first to last for a
-- charge that was never held.
alter table charge add column is_hold_open boolean not null
  generated always as (is_held and state = 'succeeded' and captured_minor = 0 and release_time is null) stored;
comment on column charge.is_hold_open is 'The money is held and neither captured nor let go.';
drop index charge_hold;
create index charge_hold on charge (capture_before_time) where is_hold_open;

-- Room in the page for the one update that follows: a settled charge is as long as a pending one; an answer of about 600 bytes
-- joins a claim of 150.
alter table charge set (fillfactor = 45);
alter table idempotency set (fillfactor = 20);
