import { create } from "@bufbuild/protobuf";
import { type Attempt, AttemptSchema } from "../../../gen/tripe/billing/v1/attempt_pb.ts";
import { type Acceptor, acceptorColumn } from "./account.ts";
import { timestampOf } from "./fields.ts";
import { attemptKinds } from "./words.ts";

/** What a bank's messages say of an attempt, of the one it is about (bank_ref is an attempt's id), and of its merchant; from `attempt t`. */
export const traceColumns = `t.trace_number, t.begin_time,
  (select jsonb_build_object('kind', o.kind, 'traceNumber', o.trace_number, 'beginTime', o.begin_time,
      'authorizationCode', o.authorization_code)
    from attempt o where t.original_bank_ref <> '' and o.account_id = t.account_id and o.attempt_id = t.original_bank_ref
  ) as original,
  (select m.acceptor from (select m.account_id, ${acceptorColumn("m")} from account m) m
    where m.account_id = t.account_id) as acceptor`;

/** The columns of an attempt, from `attempt t` and `payment_method p`. */
export const attemptColumns = `t.account_id, t.attempt_id, t.kind, t.charge_id, t.return_id, t.payment_method_id,
  t.bank_ref, t.original_bank_ref, t.amount_minor, t.currency_code, t.fence, t.tries, t.bank, t.lease_end_time,
  t.create_time, t.is_automatic, t.state = 'given_up' as is_given_up,
  (extract(epoch from statement_timestamp() - t.begin_time) * 1000)::bigint as age_ms, p.sealed_card, ${traceColumns}`;

/** A row of `attemptColumns`. */
export interface AttemptRow {
  readonly account_id: string;
  readonly attempt_id: string;
  readonly kind: string;
  readonly charge_id: string;
  readonly return_id: string | null;
  readonly payment_method_id: string;
  readonly bank_ref: string;
  readonly original_bank_ref: string;
  readonly amount_minor: bigint;
  readonly currency_code: string;
  readonly fence: number;
  readonly tries: number;
  readonly bank: string;
  readonly lease_end_time: Date | null;
  readonly create_time: Date;
  readonly is_automatic: boolean;
  readonly is_given_up: boolean;
  /** Not selected for one that has just begun. */
  readonly age_ms?: bigint;
  readonly sealed_card: Buffer;
  readonly trace_number: number | null;
  readonly begin_time: Date;
  readonly original: OriginalJson | null;
  readonly acceptor: Acceptor;
}

interface OriginalJson {
  readonly kind: string;
  readonly traceNumber: number | null;
  readonly beginTime: string;
  readonly authorizationCode: string;
}

/** The attempt of a row. */
export function attemptOf(row: AttemptRow): Attempt {
  return create(AttemptSchema, {
    accountId: row.account_id,
    attemptId: row.attempt_id,
    kind: attemptKinds.of(row.kind),
    chargeId: row.charge_id,
    returnId: row.return_id ?? "",
    paymentMethodId: row.payment_method_id,
    bankRef: row.bank_ref,
    originalBankRef: row.original_bank_ref,
    amount: { amountMinor: row.amount_minor, currencyCode: row.currency_code },
    fence: row.fence,
    tries: row.tries,
    bank: row.bank,
    leaseEndTime: timestampOf(row.lease_end_time),
    createTime: timestampOf(row.create_time),
    sealedCard: row.sealed_card,
    isAutomatic: row.is_automatic,
    isGivenUp: row.is_given_up,
    ageMs: row.age_ms ?? 0n,
    trace: {
      kind: attemptKinds.of(row.kind),
      traceNumber: row.trace_number ?? 0,
      beginTime: timestampOf(row.begin_time),
    },
    ...(row.original && { original: originalOf(row.original) }),
    acceptor: row.acceptor,
  });
}

function originalOf({ kind, traceNumber, beginTime, authorizationCode }: OriginalJson) {
  return {
    kind: attemptKinds.of(kind),
    traceNumber: traceNumber ?? 0,
    beginTime: timestampOf(new Date(beginTime)),
    authorizationCode,
  };
}
