-- A capture's answer is kept under its request id, as a charge's and a return's are; those name theirs themselves.

alter table attempt
  add column request_id text,
  add constraint attempt_request check ((request_id is not null) = (kind = 'capture')),
  add foreign key (account_id, request_id) references idempotency (account_id, request_id);
create unique index attempt_request on attempt (account_id, request_id) where request_id is not null;
comment on column attempt.request_id is 'The request a capture was asked for by; null for others.';
