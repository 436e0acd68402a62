-- What each request that collects an invoice has begun, so that the same request again finds it.

create table collection_claim (
  account_id text not null references account,
  request_id text not null check (length(request_id) between 1 and 300),
  request_digest bytea not null,
  invoice_id text not null,
  charge_id text not null,
  create_time timestamptz not null,
  primary key (account_id, request_id),
  foreign key (account_id, invoice_id) references invoice,
  foreign key (account_id, charge_id) references charge
);
create index collection_claim_invoice on collection_claim (account_id, invoice_id, request_id);
comment on table collection_claim is 'The one charge by which a request had an invoice paid, or tried to: begun by it, or found to have paid the invoice already.';
