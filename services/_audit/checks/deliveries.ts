import { type Check, checkSql } from "../check.ts";

/** What merchants are told of: every event is on its way to whoever hears of it, or its way has ended. */
export const deliveryChecks: readonly Check[] = [
  checkSql(
    "deliveries-made",
    "Every event that was taken up has a delivery to each endpoint that hears of it.",
    // What an endpoint heard of before its last change is not known any more; ten seconds are more than any commit takes.
    `select e.account_id, e.event_id, e.type, w.webhook_endpoint_id from webhook_endpoint w
      join event e on e.account_id = w.account_id and e.dispatch_time > w.match_time + interval '10 seconds'
        and w.event_types && array['*', e.type] and e.write_time >= w.make_time
      where w.disable_time is null and w.delete_time is null
        and not exists (select from delivery d where d.account_id = e.account_id and d.event_id = e.event_id
          and d.webhook_endpoint_id = w.webhook_endpoint_id)`,
  ),
  checkSql(
    "deliveries-due",
    "Every delivery has ended (delivered, disabled, dead) or is due, and none is due since ten minutes.",
    `select account_id, event_id, webhook_endpoint_id, turn, due_time from delivery
      where state = 'due' and due_time < $1::timestamptz - interval '10 minutes'`,
  ),
  checkSql(
    "webhook-secrets-sealed",
    "Every webhook secret is sealed: none stands in the database in the clear.",
    `select account_id, webhook_endpoint_id, request_id, create_time from webhook_secret
      where secret is not null or position('whsec_'::bytea in sealed_secret) > 0`,
  ),
];
