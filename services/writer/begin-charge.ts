import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { BeginChargeRequest } from "../../gen/tripe/writer/v1/charges_pb.ts";
import { type Query, violatedConstraint } from "../_database/connect.ts";
import { attemptOf } from "../_database/rows/attempt.ts";
import { chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { nullIfEmpty, shippingJson } from "../_database/rows/fields.ts";
import { assert } from "../_runtime/errors.ts";
import type { WriterDependencies } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import type { BegunCharges, BegunRow } from "./begun-charges.ts";
import { type Cause, currentCause } from "./cause.ts";
import { type BegunCharge, besideCharge, explainCharge } from "./explain-charge.ts";
import { LEASE_MS } from "./lease.ts";

/**
 * One row for each command that may go ahead: fresh, and with a payment method that may be charged. A token has a single
 * spender, in whatever statement: who finds it used when it is its turn begins no charge. Rows are sorted by what they
 * lock, so that two writers do not deadlock.
 */
const BEGIN = {
  name: "begin_charge",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::jsonb[], $14::text[], $15::text[],
        $16::text[], $17::text[], $18::jsonb[], $19::boolean[], $20::boolean[], $21::text[])
      as t(account_id, request_id, request_digest, public_request_id, charge_id, attempt_id, token_id, customer_id,
        payment_method_id, amount_minor, currency_code, description, metadata, receipt_email, statement_descriptor,
        statement_descriptor_suffix, transfer_group, shipping, is_from_source, is_held, client_key)
    ), allowed as (
      select i.*, coalesce(q.business_time, business_now()) as create_time
      from input i
      join payment_method p using (account_id, payment_method_id)
      left join customer u on u.account_id = i.account_id and u.customer_id = i.customer_id
      left join test_clock q on q.account_id = u.account_id and q.test_clock_id = u.test_clock_id
      left join token k on k.account_id = i.account_id and k.token_id = i.token_id
      where p.detach_time is null
        and (i.customer_id is null or (u.customer_id is not null and u.delete_time is null))
        and case when i.token_id is null then p.customer_id = i.customer_id
          else k.use_time is null and k.payment_method_id = p.payment_method_id end
        and not exists (
          select from idempotency d where d.account_id = i.account_id and d.request_id = i.request_id
        )
      order by i.account_id, i.token_id
    ), spent as (
      update token k set use_time = a.create_time from allowed a
      where k.account_id = a.account_id and k.token_id = a.token_id and k.use_time is null
      returning k.account_id, k.token_id
    ), fresh as (
      select a.* from allowed a
      where a.token_id is null
        or exists (select from spent s where s.account_id = a.account_id and s.token_id = a.token_id)
      order by a.account_id, a.request_id
    ), claimed as (
      insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, client_key, create_time)
      select account_id, request_id, request_digest, charge_id, public_request_id, client_key, create_time from fresh
    ), charged as (
      insert into charge (account_id, charge_id, revision, state, amount_minor, currency_code, captured_minor,
        returned_minor, customer_id, payment_method_id, token_id, is_from_source, description, metadata, receipt_email,
        statement_descriptor, statement_descriptor_suffix, transfer_group, shipping, authorization_code, request_id,
        is_held, create_time)
      select account_id, charge_id, 1, 'pending', amount_minor, currency_code, 0, 0, customer_id, payment_method_id,
        token_id, is_from_source, description, metadata, receipt_email, statement_descriptor,
        statement_descriptor_suffix, transfer_group, shipping, '', request_id, is_held, create_time
      from fresh
      returning *
    ), attempted as (
      insert into attempt (account_id, attempt_id, kind, state, charge_id, payment_method_id, bank_ref,
        original_bank_ref, amount_minor, currency_code, fence, tries, bank, lease_end_time, resolve_time,
        authorization_code, network_reference, create_time)
      select account_id, attempt_id, case when is_held then 'authorize' else 'purchase' end, 'pending', charge_id, payment_method_id, attempt_id, '',
        amount_minor, currency_code, 1, 0, '', statement_timestamp() + ${LEASE_MS} * interval '1 ms',
        statement_timestamp() + ${LEASE_MS} * interval '1 ms', '', '', create_time
      from fresh
      returning *
    )
    select ${chargeColumns}, ${besideCharge}, a.fee_basis_points, a.fee_fixed_minor,
      c.create_time = business_now() as is_in_real_time
    from charged c join attempted t on t.account_id = c.account_id and t.charge_id = c.charge_id ${chargeJoins}`,
};

/** A charge to be begun. */
export interface Command {
  readonly request: BeginChargeRequest;
  readonly charge: Charge;
  readonly cause: Cause;
}

/** Creates commit A of charges. */
export function createBeginCharge(
  dependencies: WriterDependencies,
  begunCharges: BegunCharges,
): (request: BeginChargeRequest) => Promise<BegunCharge> {
  const submit = createBatcher<Command, BegunCharge | undefined>({
    keysOf: ({ request }) => [
      `request ${request.accountId} ${request.requestId}`,
      ...(request.tokenId === "" ? [] : [`token ${request.accountId} ${request.tokenId}`]),
    ],
    run: async (commands) => {
      const rows = await insertCharges(dependencies.database.query, commands);
      for (const row of rows) begunCharges.add(row);
      return answersOf(rows, commands);
    },
  });
  return async (request) => {
    const { charge } = request;
    assert(charge?.amount !== undefined, "a charge comes with its amount");
    try {
      const begun = await submit({ request, charge, cause: currentCause() });
      return begun ?? (await explainCharge(dependencies, request));
    } catch (error) {
      // Lost a race for the request id, or for the token: what won it is committed and can be read.
      if (violatedConstraint(error) === undefined) throw error;
      return await explainCharge(dependencies, request, error);
    }
  };
}

/** Begins charges as one statement inside a transaction; undefined for one that may not go ahead. */
export async function beginCharges(query: Query, commands: readonly Command[]): Promise<(BegunCharge | undefined)[]> {
  return answersOf(await insertCharges(query, commands), commands);
}

function answersOf(rows: readonly BegunRow[], commands: readonly Command[]): (BegunCharge | undefined)[] {
  const begun = new Map(rows.map((row) => [row.attempt_id, { charge: chargeOf(row), attempt: attemptOf(row) }]));
  return commands.map(({ request }) => begun.get(request.attemptId));
}

function insertCharges(query: Query, commands: readonly Command[]): Promise<BegunRow[]> {
  const column = <Value>(of: (command: Command) => Value): Value[] => commands.map(of);
  return query<BegunRow>(BEGIN, [
    column(({ request }) => request.accountId),
    column(({ request }) => request.requestId),
    column(({ request }) => request.requestDigest),
    column(({ cause }) => cause.publicRequestId),
    column(({ charge }) => charge.chargeId),
    column(({ request }) => request.attemptId),
    column(({ request }) => nullIfEmpty(request.tokenId)),
    column(({ charge }) => nullIfEmpty(charge.customerId)),
    column(({ charge }) => charge.paymentMethodId),
    column(({ charge }) => charge.amount?.amountMinor),
    column(({ charge }) => charge.amount?.currencyCode),
    column(({ charge }) => charge.description),
    column(({ charge }) => JSON.stringify(charge.metadata)),
    column(({ charge }) => charge.receiptEmail),
    column(({ charge }) => charge.statementDescriptor),
    column(({ charge }) => charge.statementDescriptorSuffix),
    column(({ charge }) => charge.transferGroup),
    column(({ charge }) => shippingJson(charge.shipping)),
    column(({ charge }) => charge.isFromSource),
    column(({ charge }) => charge.isHeld),
    column(({ cause }) => cause.clientKey),
  ]);
}
