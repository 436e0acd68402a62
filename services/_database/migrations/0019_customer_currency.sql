-- What a customer is billed in: the currency of its first subscription, invoice or invoice item. Customers that were billed
-- before have it from what they were billed by first.

alter table customer add column currency_code text check (currency_code ~ '^[A-Z]{3}$');
update customer u set currency_code = f.currency_code
from (
  select distinct on (account_id, customer_id) account_id, customer_id, currency_code
  from (
    select account_id, customer_id, currency_code, create_time from subscription
    union all select account_id, customer_id, currency_code, create_time from invoice
    union all select account_id, customer_id, currency_code, create_time from invoice_item
  ) billed
  order by account_id, customer_id, create_time
) f
where u.account_id = f.account_id and u.customer_id = f.customer_id;
comment on column customer.currency_code is 'ISO 4217 in upper case: that of the first subscription, invoice or invoice item; null before one.';
