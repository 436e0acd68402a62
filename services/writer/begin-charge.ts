import { Code } from "@connectrpc/connect";
import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { BeginChargeRequest } from "../../gen/tripe/writer/v1/charges_pb.ts";
import { violatedConstraint } from "../_database/connect.ts";
import { type AttemptRow, attemptOf } from "../_database/rows/attempt.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { nullIfEmpty, shippingJson } from "../_database/rows/fields.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { findStored, type WriterDependencies, waitForAnswer } from "./answers.ts";
import { createBatcher } from "./batch.ts";
import { LEASE_MS } from "./lease.ts";
import { publicRequestId } from "./once.ts";
import { nounOf } from "./snapshots.ts";

/** A charge, begun; without an attempt when an equal request had begun it. */
export interface BegunCharge {
  readonly charge: Charge;
  readonly attempt?: Attempt;
}

/** One row for each command that may go ahead: fresh, and with a payment method that may be charged. */
const BEGIN = {
  name: "begin_charge",
  text: `with input as (
      select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::jsonb[], $14::text[], $15::text[],
        $16::text[], $17::text[], $18::jsonb[], $19::boolean[])
      as t(account_id, request_id, request_digest, public_request_id, charge_id, attempt_id, token_id, customer_id,
        payment_method_id, amount_minor, currency_code, description, metadata, receipt_email, statement_descriptor,
        statement_descriptor_suffix, transfer_group, shipping, is_from_source)
    ), fresh as (
      select i.*, business_now(i.account_id, i.customer_id) as create_time
      from input i
      join payment_method p using (account_id, payment_method_id)
      left join token k on k.account_id = i.account_id and k.token_id = i.token_id
      where p.detach_time is null
        and case when i.token_id is null then p.customer_id = i.customer_id
          else k.use_time is null and k.payment_method_id = p.payment_method_id end
        and not exists (
          select from idempotency d where d.account_id = i.account_id and d.request_id = i.request_id
        )
      order by i.account_id, i.request_id
    ), claimed as (
      insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, create_time)
      select account_id, request_id, request_digest, charge_id, public_request_id, create_time from fresh
    ), spent as (
      update token k set use_time = f.create_time from fresh f
      where k.account_id = f.account_id and k.token_id = f.token_id
    ), charged as (
      insert into charge (account_id, charge_id, revision, state, amount_minor, currency_code, captured_minor,
        returned_minor, customer_id, payment_method_id, token_id, is_from_source, description, metadata, receipt_email,
        statement_descriptor, statement_descriptor_suffix, transfer_group, shipping, authorization_code, request_id,
        create_time)
      select account_id, charge_id, 1, 'pending', amount_minor, currency_code, 0, 0, customer_id, payment_method_id,
        token_id, is_from_source, description, metadata, receipt_email, statement_descriptor,
        statement_descriptor_suffix, transfer_group, shipping, '', request_id, create_time
      from fresh
      returning *
    ), attempted as (
      insert into attempt (account_id, attempt_id, kind, state, charge_id, payment_method_id, bank_ref,
        original_bank_ref, amount_minor, currency_code, fence, tries, bank, lease_end_time, resolve_time,
        authorization_code, network_reference, create_time)
      select account_id, attempt_id, 'purchase', 'pending', charge_id, payment_method_id, attempt_id, '',
        amount_minor, currency_code, 1, 0, '', statement_timestamp() + ${LEASE_MS} * interval '1 ms',
        statement_timestamp() + ${LEASE_MS} * interval '1 ms', '', '', create_time
      from fresh
      returning *
    )
    select ${chargeColumns}, p.sealed_card, t.account_id, t.attempt_id, t.kind, t.return_id, t.bank_ref,
      t.original_bank_ref, t.fence, t.tries, t.bank, t.lease_end_time
    from charged c join attempted t on t.account_id = c.account_id and t.charge_id = c.charge_id ${chargeJoins}`,
};

interface Command {
  readonly request: BeginChargeRequest;
  readonly charge: Charge;
  readonly publicRequestId: string;
}

/** Creates commit A of charges. */
export function createBeginCharge(
  dependencies: WriterDependencies,
): (request: BeginChargeRequest) => Promise<BegunCharge> {
  const submit = createBatcher<Command, BegunCharge | undefined>({
    keysOf: ({ request }) => [
      `request ${request.accountId} ${request.requestId}`,
      ...(request.tokenId === "" ? [] : [`token ${request.accountId} ${request.tokenId}`]),
    ],
    run: (commands) => run(dependencies, commands),
  });
  return async (request) => {
    const { charge } = request;
    assert(charge?.amount !== undefined, "a charge comes with its amount");
    try {
      const begun = await submit({ request, charge, publicRequestId: publicRequestId() });
      return begun ?? (await explain(dependencies, request, charge));
    } catch (error) {
      // Lost a race for the request id, or for the token: what won it is committed and can be read.
      if (violatedConstraint(error) === undefined) throw error;
      return await explain(dependencies, request, charge, error);
    }
  };
}

async function run(
  { database }: WriterDependencies,
  commands: readonly Command[],
): Promise<(BegunCharge | undefined)[]> {
  const column = <Value>(of: (command: Command) => Value): Value[] => commands.map(of);
  const rows = await database.query<ChargeRow & AttemptRow>(BEGIN, [
    column(({ request }) => request.accountId),
    column(({ request }) => request.requestId),
    column(({ request }) => request.requestDigest),
    column((command) => command.publicRequestId),
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
  ]);
  const begun = new Map(rows.map((row) => [row.attempt_id, { charge: chargeOf(row), attempt: attemptOf(row) }]));
  return commands.map(({ request }) => begun.get(request.attemptId));
}

const LOOK = {
  name: "look_at_charge",
  text: `select ${chargeColumns},
      t.lease_end_time is not null and t.lease_end_time > statement_timestamp() as is_running
    from charge c ${chargeJoins}
    left join attempt t on t.account_id = c.account_id and t.charge_id = c.charge_id and t.kind = 'purchase' and t.state = 'pending'
    where c.account_id = $1 and c.charge_id = $2`,
};

/** Says why a charge was not begun: an equal request had begun it (its charge is the answer), or a refusal. */
async function explain(
  { database, clock }: WriterDependencies,
  request: BeginChargeRequest,
  charge: Charge,
  cause?: unknown,
): Promise<BegunCharge> {
  const stored = await findStored(database.query, request);
  if (stored !== undefined) {
    return waitForAnswer(clock, async () => {
      const now = await findStored(database.query, request);
      if (now?.answer !== undefined) return { charge: nounOf(now.answer, "charge") };
      const [row] = await database.query<ChargeRow & { is_running: boolean }>(LOOK, [request.accountId, stored.nounId]);
      return row === undefined || row.is_running ? undefined : { charge: chargeOf(row) };
    });
  }
  return refuseToBegin(database.query, request, charge, cause);
}

const WHY = {
  name: "why_no_charge",
  text: `select p.payment_method_id is not null as is_there, p.detach_time is not null as is_detached,
      p.customer_id, k.token_id is not null as has_token, k.use_time is not null as is_used
    from (values ($1::text, $2::text, $3::text)) as i(account_id, payment_method_id, token_id)
    left join payment_method p using (account_id, payment_method_id)
    left join token k on k.account_id = i.account_id and k.token_id = i.token_id`,
};

interface WhyRow {
  readonly is_there: boolean;
  readonly is_detached: boolean;
  readonly customer_id: string | null;
  readonly has_token: boolean;
  readonly is_used: boolean;
}

async function refuseToBegin(
  query: WriterDependencies["database"]["query"],
  { accountId, tokenId }: BeginChargeRequest,
  { paymentMethodId, customerId }: Charge,
  cause: unknown,
): Promise<never> {
  const [why] = await query<WhyRow>(WHY, [accountId, paymentMethodId, tokenId]);
  const no = (code: Code, reason: string, message: string) => refuse(code, reason, message, "payment_method_id");
  if (why === undefined || !why.is_there) {
    return no(Code.NotFound, "PAYMENT_METHOD_NOT_FOUND", `no payment method ${paymentMethodId}`);
  }
  if (tokenId !== "" && !why.has_token) return no(Code.NotFound, "TOKEN_NOT_FOUND", `no token ${tokenId}`);
  if (tokenId !== "" && why.is_used) {
    return no(Code.FailedPrecondition, "TOKEN_ALREADY_USED", `the token ${tokenId} was used already`);
  }
  if (why.is_detached) {
    const message = `the payment method ${paymentMethodId} was detached and cannot be used again`;
    return no(Code.FailedPrecondition, "PAYMENT_METHOD_DETACHED", message);
  }
  if (tokenId === "" && why.customer_id !== customerId) {
    const message = `the payment method ${paymentMethodId} is not attached to the customer ${customerId}`;
    return no(Code.FailedPrecondition, "PAYMENT_METHOD_NOT_ATTACHED", message);
  }
  throw new Error("a charge was not begun for no known reason", { cause });
}
