import { Code } from "@connectrpc/connect";
import type { Attempt } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import type { Charge } from "../../gen/tripe/billing/v1/charge_pb.ts";
import type { BeginChargeRequest } from "../../gen/tripe/writer/v1/charges_pb.ts";
import type { Query } from "../_database/connect.ts";
import { type AttemptRow, attemptOf, traceColumns } from "../_database/rows/attempt.ts";
import { type ChargeRow, chargeColumns, chargeJoins, chargeOf } from "../_database/rows/charge.ts";
import { refuse } from "../_runtime/errors.ts";
import { findStored, type WriterDependencies, waitForAnswer } from "./answers.ts";
import { nounOf } from "./snapshots.ts";

/** A charge, begun; without an attempt when an equal request had begun it. */
export interface BegunCharge {
  readonly charge: Charge;
  readonly attempt?: Attempt;
}

/** The columns of an attempt that a charge's do not hold, from `attempt t` and `payment_method p`. */
export const besideCharge = `p.sealed_card, t.account_id, t.attempt_id, t.kind, t.return_id, t.bank_ref,
  t.original_bank_ref, t.fence, t.tries, t.bank, t.lease_end_time, t.is_automatic,
  t.state = 'given_up' as is_given_up, ${traceColumns}`;

const LOOK = {
  name: "look_at_charge",
  text: `select ${chargeColumns}, ${besideCharge},
      t.lease_end_time is not null and t.lease_end_time > statement_timestamp() as is_running
    from charge c ${chargeJoins}
    left join attempt t on t.account_id = c.account_id and t.charge_id = c.charge_id 
      and t.kind in ('purchase', 'authorize') and t.outcome is null
    where c.account_id = $1 and c.charge_id = $2`,
};

type LookRow = ChargeRow & AttemptRow & { readonly is_running: boolean };

/** Says why a charge was not begun: an equal request had begun it (its charge is the answer), or a refusal. */
export async function explainCharge(
  { database, clock }: WriterDependencies,
  request: BeginChargeRequest,
  cause?: unknown,
): Promise<BegunCharge> {
  const stored = await findStored(database.query, request);
  if (stored === undefined) return refuseToBegin(database.query, request, cause);
  return waitForAnswer(clock, async () => {
    const now = await findStored(database.query, request);
    if (now?.answer !== undefined) return { charge: nounOf(now.answer, "charge") };
    const [row] = await database.query<LookRow>(LOOK, [request.accountId, stored.nounId]);
    if (row === undefined) return undefined;
    return ownOf(row, request) ?? (row.is_running ? undefined : { charge: chargeOf(row) });
  });
}

/** Which charge, and the attempt that the caller means to submit for it. */
interface OwnKey {
  readonly accountId: string;
  readonly chargeId: string;
  readonly attemptId: string;
}

/** Finds what the caller itself has begun, before the answer was lost on the way to it; undefined when it may not submit it. */
export async function findOwn(query: Query, key: OwnKey): Promise<BegunCharge | undefined> {
  const [row] = await query<LookRow>(LOOK, [key.accountId, key.chargeId]);
  return row && ownOf(row, key);
}

/** The caller's own attempt, which nobody else will submit for now. */
function ownOf(row: LookRow, { attemptId }: Pick<OwnKey, "attemptId">): BegunCharge | undefined {
  const isOwn = row.attempt_id === attemptId && row.is_running && row.tries === 0;
  return isOwn ? { charge: chargeOf(row), attempt: attemptOf(row) } : undefined;
}

const WHY = {
  name: "why_no_charge",
  text: `select p.payment_method_id is not null as is_there, p.detach_time is not null as is_detached,
      p.customer_id, k.token_id is not null as has_token, k.use_time is not null as is_used,
      u.customer_id is not null as has_customer, u.delete_time is not null as is_deleted
    from (values ($1::text, $2::text, $3::text, $4::text)) as i(account_id, payment_method_id, token_id, customer_id)
    left join payment_method p using (account_id, payment_method_id)
    left join customer u on u.account_id = i.account_id and u.customer_id = i.customer_id
    left join token k on k.account_id = i.account_id and k.token_id = i.token_id
      and k.payment_method_id = i.payment_method_id`,
};

interface WhyRow {
  readonly is_there: boolean;
  readonly is_detached: boolean;
  readonly customer_id: string | null;
  readonly has_token: boolean;
  readonly is_used: boolean;
  readonly has_customer: boolean;
  readonly is_deleted: boolean;
}

async function refuseToBegin(query: Query, request: BeginChargeRequest, cause: unknown): Promise<never> {
  const { accountId, tokenId } = request;
  const { paymentMethodId = "", customerId = "" } = request.charge ?? {};
  const [why] = await query<WhyRow>(WHY, [accountId, paymentMethodId, tokenId, customerId]);
  if (why === undefined) throw new Error("a select from one row of values answers one row");
  refuseMissing(request, why);
  const no = (reason: string, message: string) => refuse(Code.FailedPrecondition, reason, message, "payment_method_id");
  if (tokenId !== "" && why.is_used) return no("TOKEN_ALREADY_USED", `the token ${tokenId} was used already`);
  if (why.is_detached) {
    return no("PAYMENT_METHOD_DETACHED", `the payment method ${paymentMethodId} was detached and cannot be used again`);
  }
  if (tokenId === "" && why.customer_id !== customerId) {
    const message = `the payment method ${paymentMethodId} is not attached to the customer ${customerId}`;
    return no("PAYMENT_METHOD_NOT_ATTACHED", message);
  }
  if (why.is_deleted) return no("CUSTOMER_DELETED", `the customer ${customerId} was deleted`);
  throw new Error("a charge was not begun for no known reason", { cause });
}

function refuseMissing({ tokenId, charge }: BeginChargeRequest, why: WhyRow): void {
  const { paymentMethodId = "", customerId = "" } = charge ?? {};
  const no = (reason: string, message: string) => refuse(Code.NotFound, reason, message, "payment_method_id");
  if (!why.is_there) no("PAYMENT_METHOD_NOT_FOUND", `no payment method ${paymentMethodId}`);
  if (tokenId !== "" && !why.has_token) no("TOKEN_NOT_FOUND", `no token ${tokenId}`);
  if (customerId !== "" && !why.has_customer) no("CUSTOMER_NOT_FOUND", `no customer ${customerId}`);
}
