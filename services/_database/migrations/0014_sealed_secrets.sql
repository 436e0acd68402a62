-- Webhook secrets are sealed as cards are. Those that stand in the clear are sealed at the next start (seal-secrets.ts): no key is in
-- the database.

alter table webhook_secret add column sealed_secret bytea check (length(sealed_secret) between 34 and 512);
alter table webhook_secret alter column secret drop not null;
alter table webhook_secret add check (num_nonnulls(secret, sealed_secret) = 1);
comment on column webhook_secret.secret is 'In the clear, of an earlier Tripe; sealed at the next start, and then null.';
comment on column webhook_secret.sealed_secret is 'AES-256-GCM under the webhook key for account and endpoint; the writer seals, the webhooks service opens.';
