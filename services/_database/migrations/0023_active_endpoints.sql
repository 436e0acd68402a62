-- Each commit that writes an event asks whether an endpoint of its account hears of it: one step in an index of those that are enabled.

create index webhook_endpoint_active on webhook_endpoint (account_id) where disable_time is null and delete_time is null;
comment on column event.dispatch_time is 'When it was taken up; set as it is written when no endpoint hears of it and it causes no mail. Null: an outbox row.';
