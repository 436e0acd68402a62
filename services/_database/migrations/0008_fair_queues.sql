-- What waits is taken up account by account: ten rows of one account do not stand behind ten thousand of another.

drop index delivery_unqueued;
create index delivery_unqueued on delivery (account_id, due_time) where state = 'due' and queue_time is null;
drop index event_undispatched;
create index event_undispatched on event (account_id, event_id) where dispatch_time is null;
