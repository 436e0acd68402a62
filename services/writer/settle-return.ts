import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { type Return, ReturnSchema, ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import type { SettleReturnRequest } from "../../gen/tripe/writer/v1/returns_pb.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { type ReturnRow, returnColumns, returnOf } from "../_database/rows/return.ts";
import { outcomes, returnStates } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { compareOutcomes, declineOfOutcome, refuseUnknown } from "./outcomes.ts";
import { snapshotOf } from "./snapshots.ts";

/** A return at its end, and whether this call brought it there. */
export interface SettledReturn {
  readonly record: Return;
  readonly isSettledHere: boolean;
}

/** The charge may change while its return is being settled: its snapshot is then made again, so often at most. */
const TRIES_MAX = 5;

const READ_CHARGE = {
  name: "read_returning_charge",
  text: `select ${chargeColumns}, c.revision, t.attempt_id
    from unnest($1::text[], $2::text[]) as i(account_id, attempt_id)
    join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id
    join charge c on c.account_id = t.account_id and c.charge_id = t.charge_id ${chargeJoins}`,
};

const READ_RETURN = {
  name: "read_settling_return",
  text: `select ${returnColumns}, t.attempt_id, t.outcome, t.fence, business_now(c.account_id, c.customer_id) as business_time
    from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as i(account_id, return_id, attempt_id, charge_id)
    join charge_return r on r.account_id = i.account_id and r.return_id = i.return_id and r.charge_id = i.charge_id
    join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id and t.return_id = i.return_id
    join charge c on c.account_id = r.account_id and c.charge_id = r.charge_id
    join account a on a.account_id = r.account_id`,
};

interface SettlingCharge extends ChargeRow {
  readonly revision: number;
  readonly attempt_id: string;
}

interface SettlingReturn extends ReturnRow {
  readonly attempt_id: string;
  /** Null while the attempt is pending. */
  readonly outcome: string | null;
  readonly fence: number;
  readonly business_time: Date;
}

/** As a charge is settled (settle-charge.ts); a return that failed gives its amount back to the charge. */
const SETTLE = {
  name: "settle_return",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
        $16::bytea[], $17::bytea[], $18::timestamptz[], $19::text[])
      as t(account_id, return_id, charge_id, revision, attempt_id, fence, outcome, state, decline_reason, response_code,
        authorization_code, network_reference, ledger_transfer_id, return_event_id, charge_event_id, snapshot,
        charge_snapshot, settle_time, bank)
    ), locked as (
      select i.*, c.currency_code
      from input i join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      where c.revision = i.revision
      order by i.account_id, i.charge_id
      for no key update of c
    ), ended as (
      update attempt t set state = l.state, outcome = l.outcome, decline_reason = l.decline_reason,
        response_code = l.response_code, authorization_code = l.authorization_code,
        network_reference = l.network_reference, bank = l.bank, settle_time = l.settle_time, resolve_time = null,
        lease_end_time = null
      from locked l
      where t.account_id = l.account_id and t.attempt_id = l.attempt_id and t.outcome is null
        and (l.outcome <> 'not_sent' or t.fence = l.fence)
      returning l.*, t.amount_minor
    ), returned as (
      update charge_return r set revision = r.revision + 1, state = e.state, decline_reason = e.decline_reason,
        response_code = e.response_code, network_reference = e.network_reference, settle_time = e.settle_time,
        ledger_transfer_id = e.ledger_transfer_id
      from ended e where r.account_id = e.account_id and r.return_id = e.return_id
      returning r.account_id, r.return_id, r.request_id
    ), released as (
      update charge c set revision = c.revision + 1, returned_minor = c.returned_minor - e.amount_minor
      from ended e where c.account_id = e.account_id and c.charge_id = e.charge_id and e.state = 'failed'
    ), booked as (
      insert into ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, return_id, attempt_id, create_time)
      select account_id, ledger_transfer_id, 'return', charge_id, return_id, attempt_id, settle_time
      from ended where state = 'succeeded'
    ), entered as (
      insert into ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
      select e.account_id, e.ledger_transfer_id, side.ledger_account, e.currency_code, side.amount_minor
      from ended e cross join lateral (values ('bank_clearing', -e.amount_minor), ('merchant_balance', e.amount_minor))
        as side(ledger_account, amount_minor)
      where e.state = 'succeeded'
    ), answered as (
      update idempotency d set answer = e.snapshot, finish_time = e.settle_time
      from ended e join returned r using (account_id, return_id)
      where d.account_id = e.account_id and d.request_id = r.request_id
      returning e.account_id, e.return_id, d.request_id, d.public_request_id
    ), told as (
      insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time)
      select e.account_id, said.event_id, said.type, said.object_id, said.snapshot, d.public_request_id, d.request_id,
        e.settle_time
      from ended e join answered d using (account_id, return_id)
      cross join lateral (values
        (e.return_event_id, case e.state when 'succeeded' then 'refund.created' else 'refund.failed' end, e.return_id,
          e.snapshot),
        (e.charge_event_id, case e.state when 'succeeded' then 'charge.refunded' end, e.charge_id, e.charge_snapshot))
        as said(event_id, type, object_id, snapshot)
      where said.type is not null
    )
    select attempt_id from ended`,
};

interface Command {
  readonly request: SettleReturnRequest;
  readonly outcome: Outcome;
}

interface Plan {
  readonly command: Command;
  readonly record: Return;
  readonly charge: Charge;
  readonly revision: number;
  readonly businessTime: Date;
}

/** What became of one command of a batch (as in settle-charge.ts). */
type Result =
  | { readonly case: "settled"; readonly record: Return }
  | { readonly case: "passed"; readonly row: SettlingReturn | undefined }
  | { readonly case: "changed" };

/** Creates commit B of returns. */
export function createSettleReturn(
  dependencies: WriterDependencies,
): (request: SettleReturnRequest) => Promise<SettledReturn> {
  const submit = createBatcher<Command, Result>({
    // An update from a join changes a charge once: two returns of one never share a batch.
    keysOf: ({ request }) => [`${request.accountId} ${request.chargeId}`],
    run: (commands) => run(dependencies, commands),
  });
  return async (request) => {
    const { outcome } = request;
    assert(outcome !== undefined, "validation requires the outcome");
    refuseUnknown(outcome);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const result = await submit({ request, outcome });
      if (result.case === "settled") return { record: result.record, isSettledHere: true };
      if (result.case === "passed") return answerPassed(dependencies, { request, outcome }, result.row);
    }
    return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge of ${request.returnId} keeps changing`);
  };
}

async function answerPassed(
  { database }: WriterDependencies,
  { request, outcome }: Command,
  row: SettlingReturn | undefined,
): Promise<SettledReturn> {
  if (row === undefined || row.outcome !== null) {
    await compareOutcomes(database.query, { ...request, stored: row?.outcome ?? undefined, heard: outcome });
  }
  assert(row !== undefined, "an outcome that was compared has its row");
  return { record: returnOf(row), isSettledHere: false };
}

async function run(dependencies: WriterDependencies, commands: readonly Command[]): Promise<Result[]> {
  const { query } = dependencies.database;
  const column = (of: (request: SettleReturnRequest) => string) => commands.map(({ request }) => of(request));
  const accountIds = column((request) => request.accountId);
  const attemptIds = column((request) => request.attemptId);
  const returnIds = column((request) => request.returnId);
  const chargeIds = column((request) => request.chargeId);
  const [charges, returns] = await Promise.all([
    query<SettlingCharge>(READ_CHARGE, [accountIds, attemptIds]),
    query<SettlingReturn>(READ_RETURN, [accountIds, returnIds, attemptIds, chargeIds]),
  ]);
  const chargeByAttempt = new Map(charges.map((row) => [row.attempt_id, row]));
  const returnByAttempt = new Map(returns.map((row) => [row.attempt_id, row]));
  const plans = new Map(
    commands.flatMap((command) => {
      const { attemptId } = command.request;
      const plan = planOf(command, chargeByAttempt.get(attemptId), returnByAttempt.get(attemptId));
      return plan === undefined ? [] : [[attemptId, plan] as const];
    }),
  );
  const won = plans.size === 0 ? new Set<string>() : await settle(dependencies, [...plans.values()]);
  return commands.map(({ request: { attemptId } }) => {
    const plan = plans.get(attemptId);
    if (plan === undefined) return { case: "passed", row: returnByAttempt.get(attemptId) };
    return won.has(attemptId) ? { case: "settled", record: plan.record } : { case: "changed" };
  });
}

function planOf(
  command: Command,
  charge: SettlingCharge | undefined,
  record: SettlingReturn | undefined,
): Plan | undefined {
  if (charge === undefined || record === undefined || record.outcome !== null) return undefined;
  if (command.outcome.kind === OutcomeKind.NOT_SENT && record.fence !== command.request.fence) return undefined;
  const next = returnAfter(record, command.outcome);
  const returnedMinor = charge.returned_minor - (next.state === ReturnState.FAILED ? record.amount_minor : 0n);
  return {
    command,
    record: next,
    charge: create(ChargeSchema, { ...chargeOf(charge), returnedMinor }),
    revision: charge.revision,
    businessTime: record.business_time,
  };
}

async function settle(dependencies: WriterDependencies, plans: readonly Plan[]): Promise<Set<string>> {
  const column = <Value>(of: (plan: Plan) => Value): Value[] => plans.map(of);
  const rows = await dependencies.database.query<{ attempt_id: string }>(SETTLE, [
    column(({ command }) => command.request.accountId),
    column(({ record }) => record.returnId),
    column(({ record }) => record.chargeId),
    column(({ revision }) => revision),
    column(({ command }) => command.request.attemptId),
    column(({ command }) => command.request.fence),
    column(({ command }) => outcomes.word(command.outcome.kind)),
    column(({ record }) => returnStates.word(record.state)),
    column(({ record }) => record.decline?.reason ?? null),
    column(({ record }) => record.decline?.responseCode ?? null),
    column(({ command }) => command.outcome.authorizationCode),
    column(({ record }) => record.networkReference),
    column(({ record }) => (record.ledgerTransferId === "" ? null : record.ledgerTransferId)),
    column(() => createId("evt_")),
    column(() => createId("evt_")),
    column(({ record }) => snapshotBytes(snapshotOf("return", record))),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ businessTime }) => businessTime),
    column(({ command }) => command.outcome.bank),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}

/** A return as a final outcome leaves it. */
function returnAfter(row: SettlingReturn, outcome: Outcome): Return {
  const settleTime = timestampFromDate(row.business_time);
  const record = { ...returnOf(row), settleTime };
  if (outcome.kind !== OutcomeKind.ACCEPTED) {
    return create(ReturnSchema, { ...record, state: ReturnState.FAILED, decline: declineOfOutcome(outcome) });
  }
  return create(ReturnSchema, {
    ...record,
    state: ReturnState.SUCCEEDED,
    networkReference: outcome.networkReference,
    ledgerTransferId: createId("txn_"),
  });
}
