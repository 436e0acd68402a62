-- A card that comes with a publishable key is verified at the bank when it is first used, so that pages cannot be used to
-- try cards. Its CVC is kept until then, sealed, for an hour at most.

alter table payment_method add column sealed_cvc bytea check (length(sealed_cvc) between 1 and 2048);
create index payment_method_sealed_cvc on payment_method (create_time) where sealed_cvc is not null;
comment on column payment_method.sealed_cvc is 'The CVC as the bank service sealed it, until the card is verified at its first use, or for an hour; else null.';
