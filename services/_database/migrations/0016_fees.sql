-- What Tripe keeps of a charge is an account's schedule. Accounts that were made before keep the one that every charge had.
alter table account
  add column fee_basis_points integer not null default 290 check (fee_basis_points between 0 and 10000),
  add column fee_fixed_minor integer not null default 30 check (fee_fixed_minor between 0 and 1000000);
alter table account alter column fee_basis_points set default 0, alter column fee_fixed_minor set default 0;
comment on column account.fee_basis_points is 'Hundredths of a percent that Tripe keeps of each charge, also when it is returned.';
comment on column account.fee_fixed_minor is 'A fixed part of each charge in minor units of a currency with two decimals; scaled to others by their decimals.';
