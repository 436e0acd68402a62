import { PostponedWork } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import type { Query } from "../_database/connect.ts";
import { waitingAccounts } from "../_database/waiting-accounts.ts";
import { OLDEST_DELIVERY } from "./postponed-work.ts";

/** Who is on a test clock may be due by it at any moment: those few are looked for by the leases themselves. */
const IS_CLOCKED = "exists (select from test_clock)";

const IS_FREE = "(lease_end_time is null or lease_end_time <= statement_timestamp())";

/** As the leases of the writer have it (due.ts, attempts.ts, begin-expiries.ts), or more: what they pass over may be named here. */
const CONDITIONS: readonly (readonly [PostponedWork, string])[] = [
  [PostponedWork.ATTEMPTS, "exists (select from attempt where resolve_time <= statement_timestamp())"],
  [
    PostponedWork.HOLDS,
    `${IS_CLOCKED} or exists (select from charge where is_hold_open and capture_before_time <= business_now())`,
  ],
  [
    PostponedWork.RENEWALS,
    `${IS_CLOCKED} or exists (select from subscription where renew_time <= business_now() and ${IS_FREE})`,
  ],
  [
    PostponedWork.COLLECTIONS,
    `${IS_CLOCKED} or exists (select from invoice where next_attempt_time is not null and state in ('draft', 'open')
        and next_attempt_time <= business_now() and ${IS_FREE})
      or exists (select from invoice_payment y join charge c on c.account_id = y.account_id and c.charge_id = y.charge_id
        where y.state = 'open' and c.state <> 'pending')`,
  ],
  [PostponedWork.EVENTS, "exists (select from event where dispatch_time is null)"],
  [PostponedWork.WEBHOOKS, `(${OLDEST_DELIVERY.text}) is not null`],
  [
    PostponedWork.MAILS,
    `exists (${waitingAccounts("mail", "state = 'due'")}
      select from waiting w where exists (select from mail m where m.account_id = w.account_id and m.state = 'due'
        and m.due_time <= statement_timestamp()))`,
  ],
];

const FIND = {
  name: "find_due_work",
  text: `select array_remove(array[${CONDITIONS.map(([work, condition]) => `case when ${condition} then ${work} end`).join(",\n    ")}], null) as work`,
};

/** Finds of what work something is due, of all accounts. */
export async function findDueWork(query: Query): Promise<{ work: PostponedWork[] }> {
  const [row] = await query<{ work: PostponedWork[] }>(FIND, []);
  return { work: row?.work ?? [] };
}
