-- What an invoice shows of its subscription's metadata is fixed when it is finalized. Invoices that were finalized before
-- show the subscription's metadata as of now.

alter table invoice add column subscription_metadata jsonb check (jsonb_typeof(subscription_metadata) = 'object');
comment on column invoice.subscription_metadata is 'The metadata of the subscription when the invoice was finalized; null for a draft.';
