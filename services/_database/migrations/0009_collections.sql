-- Which payments move the schedule of retries, and one keyspace for all requests.

alter table invoice_payment add column is_counted boolean not null default true;
comment on column invoice_payment.is_counted is 'Whether its failure moves the schedule of retries: the schedule began it, or it was the first. What a person tries after that does not.';

-- The claim of a subscription's creation stood under a key that was the subscription's own; nothing looks for it there.
delete from collection_claim k using idempotency d
  where d.account_id = k.account_id and d.request_id = k.request_id and d.noun_id like 'sub\_%';
insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, create_time)
  select account_id, request_id, request_digest, charge_id, '', create_time from collection_claim
  on conflict do nothing;
