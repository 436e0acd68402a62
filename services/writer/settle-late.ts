import { Code } from "@connectrpc/connect";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { SettleAutomaticReturnRequest, SettleLateAttemptRequest } from "../../gen/tripe/writer/v1/attempts_pb.ts";
import type { Query } from "../_database/connect.ts";
import { attemptKinds, outcomes } from "../_database/rows/words.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { RESOLVE, raiseAlert } from "./alerts.ts";
import type { WriterDependencies } from "./answers.ts";
import { compareOutcomes, refuseUnknown } from "./outcomes.ts";

/** The attempt, locked, and the one it takes back when there is one. */
const LOCK = {
  name: "lock_late_attempt",
  text: `select t.state, t.outcome, t.kind, t.charge_id, t.is_automatic, o.kind as original_kind
    from attempt t
    left join attempt o on o.account_id = t.account_id and o.attempt_id = t.original_bank_ref and t.original_bank_ref <> ''
    where t.account_id = $1 and t.attempt_id = $2 for no key update of t`,
};

interface LockedRow {
  readonly state: string;
  readonly outcome: string | null;
  readonly kind: string;
  readonly charge_id: string;
  readonly is_automatic: boolean;
  readonly original_kind: string | null;
}

const END = {
  name: "end_late_attempt",
  text: `update attempt t set state = case $3 when 'accepted' then 'succeeded' else 'failed' end, outcome = $3,
      decline_reason = $4, response_code = $5, authorization_code = $6, network_reference = $7,
      bank = case when $8 = '' then bank else $8 end, settle_time = business_now($1), resolve_time = null,
      lease_end_time = null
    where account_id = $1 and attempt_id = $2`,
};

/** What a bank took late is owed to the payer, not to the merchant: it stands in suspense until it is given back. */
const BOOK = {
  name: "book_late_attempt",
  text: `with booked as (
      insert into ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, attempt_id, create_time)
      select account_id, $3, $4, charge_id, attempt_id, business_now($1)
      from attempt where account_id = $1 and attempt_id = $2
      returning account_id, ledger_transfer_id, attempt_id
    )
    insert into ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
    select b.account_id, b.ledger_transfer_id, side.ledger_account, t.currency_code, side.sign * t.amount_minor
    from booked b join attempt t using (account_id, attempt_id)
    cross join (values ('bank_clearing', $5::int), ('suspense', -$5::int)) as side(ledger_account, sign)`,
};

/** Due at once, and leased to nobody: the sweep that is running takes it next. */
const BEGIN_RETURN = {
  name: "begin_automatic_return",
  text: `insert into attempt (account_id, attempt_id, kind, state, charge_id, payment_method_id, bank_ref,
      original_bank_ref, amount_minor, currency_code, fence, tries, bank, resolve_time, authorization_code,
      network_reference, create_time, is_automatic)
    select account_id, $3, $4, 'pending', charge_id, payment_method_id, $3, bank_ref, amount_minor, currency_code, 1, 0,
      $5, statement_timestamp(), '', '', business_now($1), true
    from attempt where account_id = $1 and attempt_id = $2`,
};

/**
 * Books what is heard at last of an attempt that had been given up, once. Its charge stays failed, as its merchant was
 * told. When the bank has done it after all, a purchase is booked as money in suspense, and in the same commit an attempt
 * begins that gives it back. Refuses ATTEMPT_NOT_GIVEN_UP, and ANSWERS_DISAGREE as a settlement does.
 */
export async function settleLateAttempt({ database }: WriterDependencies, request: SettleLateAttemptRequest) {
  const { accountId, attemptId, returnAttemptId, returnKind, outcome } = request;
  assert(outcome !== undefined, "validation requires the outcome");
  refuseUnknown(outcome);
  const row = await database.transaction(async (query) => {
    const [locked] = await query<LockedRow>(LOCK, [accountId, attemptId]);
    if (locked?.state !== "given_up") return locked ?? "missing";
    await end(query, request);
    await query(RESOLVE, [accountId, attemptId, "ATTEMPT_GIVEN_UP"]);
    if (outcome.kind !== OutcomeKind.ACCEPTED) return undefined;
    if (locked.kind === "purchase") {
      await query(BOOK, [accountId, attemptId, createId("txn_"), "late_charge", 1]);
    }
    const kind = attemptKinds.word(returnKind);
    await query(BEGIN_RETURN, [accountId, attemptId, returnAttemptId, kind, outcome.bank]);
    return undefined;
  });
  if (row === undefined) return { isSettledHere: true };
  return answerEnded(database.query, request, row === "missing" ? undefined : row);
}

/**
 * Books what became of an attempt that gives back, once. One that the bank refuses leaves the money in suspense, and calls
 * a person.
 */
export async function settleAutomaticReturn({ database }: WriterDependencies, request: SettleAutomaticReturnRequest) {
  const { accountId, attemptId, outcome } = request;
  assert(outcome !== undefined, "validation requires the outcome");
  refuseUnknown(outcome);
  const row = await database.transaction(async (query) => {
    const [locked] = await query<LockedRow>(LOCK, [accountId, attemptId]);
    if (locked?.state !== "pending" || !locked.is_automatic) return locked ?? "missing";
    await end(query, request);
    if (outcome.kind !== OutcomeKind.ACCEPTED) {
      const details = { response_code: outcome.decline?.responseCode ?? "", bank: outcome.bank };
      await raiseAlert(query, { accountId, reason: "LATE_RETURN_DECLINED", objectId: attemptId, details });
    } else if (locked.original_kind === "purchase") {
      await query(BOOK, [accountId, attemptId, createId("txn_"), "late_return", -1]);
    }
    return undefined;
  });
  if (row === undefined) return { isSettledHere: true };
  return answerEnded(database.query, request, row === "missing" ? undefined : row);
}

async function end(
  query: Query,
  { accountId, attemptId, outcome }: SettleAutomaticReturnRequest | SettleLateAttemptRequest,
) {
  assert(outcome !== undefined, "validation requires the outcome");
  await query(END, [
    accountId,
    attemptId,
    outcomes.word(outcome.kind),
    outcome.kind === OutcomeKind.ACCEPTED ? null : (outcome.decline?.reason ?? "processing_error"),
    outcome.decline?.responseCode ?? null,
    outcome.authorizationCode,
    outcome.networkReference,
    outcome.bank,
  ]);
}

async function answerEnded(
  query: Query,
  { accountId, attemptId, outcome }: SettleAutomaticReturnRequest | SettleLateAttemptRequest,
  row: LockedRow | undefined,
) {
  assert(outcome !== undefined, "validation requires the outcome");
  if (row !== undefined && row.outcome === null) {
    refuse(Code.FailedPrecondition, "ATTEMPT_NOT_GIVEN_UP", `the attempt ${attemptId} is not to be settled so`);
  }
  await compareOutcomes(query, { accountId, attemptId, stored: row?.outcome ?? undefined, heard: outcome });
  return { isSettledHere: false };
}
