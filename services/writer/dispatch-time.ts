/** Where an event's parts stand in the statement that inserts it. */
export interface InsertedEvent {
  /** Its account's id. */
  readonly account: string;
  /** Its type. */
  readonly type: string;
  /** Whether it causes work besides webhooks: a mail, or a look at the account's declines. Default: never. */
  readonly causes?: string;
}

/**
 * The SQL of `dispatch_time` for an event as it is inserted: null, an outbox row, when an endpoint hears of the type or the
 * event causes other work; else the moment of the insert, since nothing has to be dispatched and no sweep needs to look at it.
 *
 * An endpoint counts once it is committed before the statement begins. So an endpoint whose creation, enabling or change of
 * types is still under way at that moment does not hear of the event: whether the one or the other came first is not defined,
 * and the request that made the endpoint is not answered yet. What begins after that answer is delivered.
 */
export function dispatchTimeOf({ account, type, causes = "false" }: InsertedEvent): string {
  return `case when ${causes} or exists (select from webhook_endpoint w where w.account_id = ${account}
        and w.disable_time is null and w.delete_time is null and w.event_types && array['*', ${type}])
      then null else statement_timestamp() end`;
}
