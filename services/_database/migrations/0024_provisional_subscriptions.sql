-- A subscription that is to be made only if its first invoice is paid (payment_behavior=error_if_incomplete) is provisional until then:
-- hidden from the reader, without events and without an invoice number, and deleted when the payment fails.

alter table subscription add column provisional_request_id text;
comment on column subscription.provisional_request_id is 'The request that made it, while it waits for its first payment: then it becomes visible, or is deleted and the request answered anew. Null for all others.';

alter table invoice add column is_provisional boolean not null default false;
comment on column invoice.is_provisional is 'Whether it is the first invoice of a provisional subscription.';

alter table invoice drop constraint invoice_check2;
alter table invoice add constraint invoice_check2 check ((state = 'draft' or is_provisional) = (number is null));
alter table invoice add constraint invoice_provisional_check check (not is_provisional or state in ('draft', 'open'));
