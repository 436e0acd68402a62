import { afterAll, expect, onTestFinished, test } from "vitest";
import { createSteps } from "../transactions/testing.ts";
import { createWorld } from "./testing/world.ts";

const { owner, day, audit, forget, readLines } = await createWorld(async (tripe) => {
  await createSteps(tripe).createPayer();
});
afterAll(() => owner.end());

async function* read() {
  yield* await readLines();
}

/** What is planted, and the checks that must find it: these and no others. */
const faults: Record<string, [string, string[]]> = {
  "a customer that was not told": ["delete from event where type = 'customer.created'", ["events-told"]],
  "an attachment that was not told": ["delete from event where type = 'payment_method.attached'", ["events-told"]],
  "a pending charge that was not told": ["delete from event where type = 'charge.pending'", ["events-told"]],
  "a return told as pending whose end was told as its beginning": [
    `update attempt set tell_time = settle_time where return_id = '${day.returnId}'`,
    ["events-told"],
  ],
  "an event of nothing": [
    `insert into event select account_id, 'evt_1', 'customer.updated', 'cus_gone', snapshot, '', '', create_time
      from event where type = 'customer.created' limit 1`,
    ["events-fit", "snapshots-read"],
  ],
  "an event of no type": [
    `insert into event select account_id, 'evt_1', 'charge.exploded', object_id, snapshot, '', '', create_time
      from event where object_id = '${day.paidId}' and type = 'charge.succeeded'`,
    ["events-fit"],
  ],
  "an event whose id another account's has": [
    `insert into customer select (jsonb_populate_record(u, jsonb_build_object('account_id', '${day.liveAccountId}',
        'default_payment_method_id', null))).* from customer u;
      insert into event select '${day.liveAccountId}', event_id, type, object_id, snapshot, '', '', create_time
      from event where type = 'customer.created'`,
    ["events-fit"],
  ],
  "an end that tells what was before": [
    `update event set previous = snapshot where object_id = '${day.paidId}' and type = 'charge.succeeded'`,
    ["events-fit"],
  ],
  "an update of something else": [
    `insert into event (account_id, event_id, type, object_id, snapshot, previous, public_request_id, idempotency_key,
        create_time)
      select e.account_id, 'evt_1', 'charge.updated', e.object_id, e.snapshot, o.snapshot, '', '', e.create_time
      from event e cross join (select snapshot from event where object_id = '${day.declinedId}' limit 1) o
      where e.object_id = '${day.paidId}' and e.type = 'charge.succeeded'`,
    ["snapshots-read"],
  ],
};

test.each(Object.entries(faults))("the audit finds %s", async (_sentence, [plant, names]) => {
  onTestFinished(forget);
  await owner.query(plant);
  expect((await audit(read())).map(({ name }) => name)).toEqual(names);
});
