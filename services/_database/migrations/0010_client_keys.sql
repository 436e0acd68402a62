-- Events name the key that a merchant sent; until now they named what each write of its request was known by inside.

alter table idempotency add column client_key text not null default '' check (length(client_key) <= 255);
comment on column idempotency.client_key is 'The Idempotency-Key of the public request, as the merchant sent it; empty when it sent none, or no request is behind this.';
comment on column event.idempotency_key is 'The Idempotency-Key of the public request, as the merchant sent it; empty when it sent none, or no request is behind this. Events from before this migration name an internal request id.';
