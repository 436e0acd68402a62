-- What a customer owes beside a subscription is billed when it ends, by an invoice of its own: Stripe's word for its reason.

alter table invoice drop constraint invoice_billing_reason_check;
alter table invoice add constraint invoice_billing_reason_check check (billing_reason in
  ('manual', 'subscription_create', 'subscription_cycle', 'automatic_pending_invoice_item_invoice'));
