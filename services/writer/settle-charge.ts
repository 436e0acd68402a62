import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { type Outcome, OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Charge, ChargeSchema, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { SettleChargeRequest } from "../../gen/tripe/writer/v1/charges_pb.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { chargeStates, outcomes } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { snapshotBytes, type WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { type FeeSchedule, feeOf } from "./fee.ts";
import { compareOutcomes, declineOfOutcome, refuseUnknown } from "./outcomes.ts";
import { snapshotOf } from "./snapshots.ts";

/** A charge at its end, and whether this call brought it there. */
export interface SettledCharge {
  readonly charge: Charge;
  readonly isSettledHere: boolean;
}

/** The words of a charge may change while it is being settled: the snapshot is then made again, so often at most. */
const TRIES_MAX = 5;

const READ = {
  name: "read_settling_charge",
  text: `select ${chargeColumns}, c.revision, t.attempt_id, t.outcome, t.fence, business_now(c.account_id, c.customer_id) as business_time
    from unnest($1::text[], $2::text[], $3::text[]) as i(account_id, charge_id, attempt_id)
    join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id ${chargeJoins}
    join attempt t on t.account_id = i.account_id and t.attempt_id = i.attempt_id and t.charge_id = i.charge_id`,
};

interface SettlingRow extends ChargeRow {
  readonly revision: number;
  readonly attempt_id: string;
  /** Null while the attempt is pending. */
  readonly outcome: string | null;
  readonly fence: number;
  readonly business_time: Date;
}

/**
 * The attempt's end has a single winner; everything else follows from the row it returns. A charge is locked first, so that
 * the revision its snapshot was made of still holds. NOT_SENT ends an attempt only for the holder of its fence: somebody
 * else may have sent it since. An attempt is pending while its outcome is null (a CHECK says so too): asked for by its state,
 * the planner would walk the index of all that is pending, which is long when a bank is down.
 */
const SETTLE = {
  name: "settle_charge",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::bytea[],
        $16::timestamptz[], $17::text[])
      as t(account_id, charge_id, revision, attempt_id, fence, outcome, state, decline_reason, response_code,
        authorization_code, network_reference, fee_minor, ledger_transfer_id, event_id, snapshot, settle_time, bank)
    ), locked as (
      select i.*, c.amount_minor, c.currency_code, c.request_id
      from input i join charge c on c.account_id = i.account_id and c.charge_id = i.charge_id
      where c.revision = i.revision and c.state = 'pending'
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
      returning l.*
    ), charged as (
      update charge c set revision = c.revision + 1, state = e.state, decline_reason = e.decline_reason,
        response_code = e.response_code, authorization_code = e.authorization_code, settle_time = e.settle_time,
        ledger_transfer_id = e.ledger_transfer_id,
        captured_minor = case when e.state = 'succeeded' then c.amount_minor else 0 end
      from ended e where c.account_id = e.account_id and c.charge_id = e.charge_id
    ), booked as (
      insert into ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, attempt_id, create_time)
      select account_id, ledger_transfer_id, 'charge', charge_id, attempt_id, settle_time
      from ended where state = 'succeeded'
    ), entered as (
      insert into ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
      select e.account_id, e.ledger_transfer_id, side.ledger_account, e.currency_code, side.amount_minor
      from ended e cross join lateral (values ('bank_clearing', e.amount_minor),
        ('merchant_balance', e.fee_minor - e.amount_minor), ('fees', -e.fee_minor)) as side(ledger_account, amount_minor)
      where e.state = 'succeeded' and side.amount_minor <> 0
    ), answered as (
      update idempotency d set answer = e.snapshot, finish_time = e.settle_time
      from ended e where d.account_id = e.account_id and d.request_id = e.request_id
      returning d.account_id, d.request_id, d.public_request_id
    ), told as (
      insert into event (account_id, event_id, type, object_id, snapshot, public_request_id, idempotency_key, create_time)
      select e.account_id, e.event_id, 'charge.' || e.state, e.charge_id, e.snapshot, d.public_request_id, e.request_id,
        e.settle_time
      from ended e join answered d using (account_id, request_id)
    )
    select attempt_id from ended`,
};

interface Command {
  readonly request: SettleChargeRequest;
  readonly outcome: Outcome;
}

/** What became of one command of a batch. Refusals are made outside of it: they are nobody else's. */
type Result =
  | { readonly case: "settled"; readonly charge: Charge }
  /** The attempt had ended, is not there, or is somebody else's by now. */
  | { readonly case: "passed"; readonly row: SettlingRow | undefined }
  /** The charge changed between the two statements: to be tried again. */
  | { readonly case: "changed" };

/** Creates commit B of charges, for a schedule of fees. */
export function createSettleCharge(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
): (request: SettleChargeRequest) => Promise<SettledCharge> {
  const submit = createBatcher<Command, Result>({
    keysOf: ({ request }) => [`${request.accountId} ${request.chargeId}`],
    run: (commands) => run(dependencies, fees, commands),
  });
  return async (request) => {
    const { outcome } = request;
    assert(outcome !== undefined, "validation requires the outcome");
    refuseUnknown(outcome);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const result = await submit({ request, outcome });
      if (result.case === "settled") return { charge: result.charge, isSettledHere: true };
      if (result.case === "passed") return answerPassed(dependencies, { request, outcome }, result.row);
    }
    return refuse(Code.Aborted, "CHARGE_CHANGING", `the charge ${request.chargeId} keeps changing`);
  };
}

async function answerPassed(
  { database }: WriterDependencies,
  { request, outcome }: Command,
  row: SettlingRow | undefined,
): Promise<SettledCharge> {
  if (row === undefined || row.outcome !== null) {
    await compareOutcomes(database.query, { ...request, stored: row?.outcome ?? undefined, heard: outcome });
  }
  assert(row !== undefined, "an outcome that was compared has its row");
  return { charge: chargeOf(row), isSettledHere: false };
}

async function run(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
  commands: readonly Command[],
): Promise<Result[]> {
  const rows = await dependencies.database.query<SettlingRow>(READ, [
    commands.map(({ request }) => request.accountId),
    commands.map(({ request }) => request.chargeId),
    commands.map(({ request }) => request.attemptId),
  ]);
  const byAttempt = new Map(rows.map((row) => [row.attempt_id, row]));
  const plans = new Map(
    commands.flatMap((command) => {
      const row = byAttempt.get(command.request.attemptId);
      if (row === undefined || !mayEnd(row, command)) return [];
      return [[row.attempt_id, { command, row, charge: chargeAfter(row, command.outcome) }] as const];
    }),
  );
  const won = plans.size === 0 ? new Set<string>() : await settle(dependencies, fees, [...plans.values()]);
  return commands.map(({ request: { attemptId } }) => {
    const plan = plans.get(attemptId);
    if (plan === undefined) return { case: "passed", row: byAttempt.get(attemptId) };
    return won.has(attemptId) ? { case: "settled", charge: plan.charge } : { case: "changed" };
  });
}

function mayEnd({ outcome, fence }: SettlingRow, command: Command): boolean {
  return outcome === null && (command.outcome.kind !== OutcomeKind.NOT_SENT || fence === command.request.fence);
}

interface Plan {
  readonly command: Command;
  readonly row: SettlingRow;
  readonly charge: Charge;
}

async function settle(
  dependencies: WriterDependencies,
  fees: FeeSchedule,
  plans: readonly Plan[],
): Promise<Set<string>> {
  const column = <Value>(of: (plan: Plan) => Value): Value[] => plans.map(of);
  const rows = await dependencies.database.query<{ attempt_id: string }>(SETTLE, [
    column(({ command }) => command.request.accountId),
    column(({ charge }) => charge.chargeId),
    column(({ row }) => row.revision),
    column(({ command }) => command.request.attemptId),
    column(({ command }) => command.request.fence),
    column(({ command }) => outcomes.word(command.outcome.kind)),
    column(({ charge }) => chargeStates.word(charge.state)),
    column(({ charge }) => charge.decline?.reason ?? null),
    column(({ charge }) => charge.decline?.responseCode ?? null),
    column(({ charge }) => charge.authorizationCode),
    column(({ command }) => command.outcome.networkReference),
    column(({ row }) => feeOf(row.amount_minor, fees)),
    column(({ charge }) => (charge.ledgerTransferId === "" ? null : charge.ledgerTransferId)),
    column(() => createId("evt_")),
    column(({ charge }) => snapshotBytes(snapshotOf("charge", charge))),
    column(({ row }) => row.business_time),
    column(({ command }) => command.outcome.bank),
  ]);
  return new Set(rows.map((row) => row.attempt_id));
}

/** A charge as a final outcome leaves it: the one place that says so; the CHECKs of the table say it again. */
function chargeAfter(row: SettlingRow, outcome: Outcome): Charge {
  const charge = chargeOf(row);
  const settleTime: Timestamp = timestampFromDate(row.business_time);
  if (outcome.kind === OutcomeKind.ACCEPTED) {
    return create(ChargeSchema, {
      ...charge,
      state: ChargeState.SUCCEEDED,
      capturedMinor: row.amount_minor,
      authorizationCode: outcome.authorizationCode,
      ledgerTransferId: createId("txn_"),
      settleTime,
    });
  }
  const decline = declineOfOutcome(outcome);
  return create(ChargeSchema, { ...charge, state: ChargeState.FAILED, decline, settleTime });
}
