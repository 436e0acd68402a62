import { createId } from "../_runtime/ids.ts";

type Sql = <Row>(text: string, ...values: unknown[]) => Promise<Row[]>;

/** Times and words that a test may choose; the rest is as ordinary as can be. */
export interface RowChange {
  readonly createTime?: Date;
  readonly customerId?: string | null;
  readonly email?: string;
  readonly transferGroup?: string;
  readonly testClockId?: string;
}

/** Makes rows and says their ids. */
export interface Rows {
  customer(change?: RowChange): Promise<string>;
  paymentMethod(change?: RowChange): Promise<string>;
  token(paymentMethodId: string): Promise<string>;
  /** A charge of 2000 USD that succeeded, with its booking: fees of 88. */
  charge(paymentMethodId: string, change?: RowChange): Promise<Charged>;
  /** A return of 500 of a charge that succeeded. */
  return(charge: Charged, change?: RowChange): Promise<{ returnId: string; ledgerTransferId: string }>;
}

/** A charge and its booking. */
export interface Charged {
  readonly chargeId: string;
  readonly ledgerTransferId: string;
}

/** A moment that all rows of a test share unless it says otherwise. */
export const CREATE_TIME: Date = new Date("2026-03-04T05:06:07.089Z");

/** Rows of one account, written by the database's owner. */
export function createRows(sql: Sql, accountId: string): Rows {
  return { ...createPayers(sql, accountId), ...createMoney(sql, accountId) };
}

function createPayers(sql: Sql, accountId: string): Pick<Rows, "customer" | "paymentMethod" | "token"> {
  return {
    async customer({ createTime = CREATE_TIME, email = "", testClockId }: RowChange = {}) {
      const id = createId("cus_");
      await sql(
        `insert into customer (account_id, customer_id, email, name, phone, description, metadata, invoice_prefix,
          test_clock_id, create_time) values ($1, $2, $3, 'N', '', '', '{"k": "v"}', 'ABC', $4, $5)`,
        ...[accountId, id, email, testClockId ?? null, createTime],
      );
      return id;
    },
    async paymentMethod({ createTime = CREATE_TIME, customerId = null }: RowChange = {}) {
      const id = createId("pm_");
      await sql(
        `insert into payment_method (account_id, payment_method_id, customer_id, brand, last4, exp_month, exp_year,
          funding, country_code, fingerprint, cvc_check, sealed_card, billing_details, metadata, create_time)
          values ($1, $2, $3, 'visa', '4242', 12, 2040, 'credit', 'US', 'f', 'pass', '\\x07', '{"name": "B"}', '{}', $4)`,
        ...[accountId, id, customerId, createTime],
      );
      return id;
    },
    async token(paymentMethodId) {
      const id = createId("tok_");
      const text = "insert into token (account_id, token_id, payment_method_id, create_time) values ($1, $2, $3, $4)";
      await sql(text, accountId, id, paymentMethodId, CREATE_TIME);
      return id;
    },
  };
}

function createMoney(sql: Sql, accountId: string): Pick<Rows, "charge" | "return"> {
  const claim = async (): Promise<string> => {
    const id = createId("req_");
    const text = `insert into idempotency (account_id, request_id, request_digest, noun_id, public_request_id, create_time)
      values ($1, $2, '', '', '', statement_timestamp())`;
    await sql(text, accountId, id);
    return id;
  };
  return {
    async charge(paymentMethodId, { createTime = CREATE_TIME, customerId = null, transferGroup = "" }: RowChange = {}) {
      const chargeId = createId("ch_");
      await sql(
        `insert into charge (account_id, charge_id, revision, state, amount_minor, currency_code, captured_minor,
          returned_minor, customer_id, payment_method_id, is_from_source, description, metadata, receipt_email,
          statement_descriptor, statement_descriptor_suffix, transfer_group, authorization_code, ledger_transfer_id,
          request_id, create_time, settle_time)
          values ($1, $2, 1, 'succeeded', 2000, 'USD', 2000, 0, $3, $4, false, '', '{}', '', '', '', $5, 'A1', 'later', $6, $7, $7)`,
        ...[accountId, chargeId, customerId, paymentMethodId, transferGroup, await claim(), createTime],
      );
      const ledgerTransferId = await book(sql, {
        accountId,
        kind: "charge",
        chargeId,
        amountMinor: 2000,
        feeMinor: 88,
      });
      await sql("update charge set ledger_transfer_id = $2 where charge_id = $1", chargeId, ledgerTransferId);
      return { chargeId, ledgerTransferId };
    },
    async return({ chargeId }, { createTime = CREATE_TIME }: RowChange = {}) {
      const returnId = createId("re_");
      await sql(
        `insert into charge_return (account_id, return_id, revision, charge_id, state, amount_minor, currency_code, reason,
          metadata, network_reference, ledger_transfer_id, request_id, create_time, settle_time)
          values ($1, $2, 1, $3, 'succeeded', 500, 'USD', 'duplicate', '{}', 'R1', 'later', $4, $5, $5)`,
        ...[accountId, returnId, chargeId, await claim(), createTime],
      );
      const booking = { accountId, kind: "return", chargeId, returnId, amountMinor: -500, feeMinor: 0 } as const;
      const ledgerTransferId = await book(sql, booking);
      await sql("update charge_return set ledger_transfer_id = $2 where return_id = $1", returnId, ledgerTransferId);
      return { returnId, ledgerTransferId };
    },
  };
}

interface Booking {
  readonly accountId: string;
  readonly kind: "charge" | "return";
  readonly chargeId: string;
  readonly returnId?: string;
  readonly amountMinor: number;
  readonly feeMinor: number;
}

async function book(
  sql: Sql,
  { accountId, kind, chargeId, returnId, amountMinor, feeMinor }: Booking,
): Promise<string> {
  const [attemptId, id] = [createId("att_"), createId("txn_")];
  await sql(
    `insert into attempt (account_id, attempt_id, kind, state, charge_id, return_id, payment_method_id, bank_ref,
        original_bank_ref, amount_minor, currency_code, fence, tries, bank, outcome, authorization_code, network_reference,
        create_time, settle_time)
      select $1, $2, $3, 'succeeded', $4, $5, payment_method_id, $2, '', 500, 'USD', 1, 0, 'sandbox', 'accepted', '', '', $6, $6
      from charge where account_id = $1 and charge_id = $4`,
    ...[accountId, attemptId, kind === "charge" ? "purchase" : "refund", chargeId, returnId ?? null, CREATE_TIME],
  );
  await sql(
    `with t as (
        insert into ledger_transfer (account_id, ledger_transfer_id, kind, charge_id, return_id, attempt_id, create_time)
        values ($1, $2, $3, $4, $5, $6, $7)
      )
      insert into ledger_entry (account_id, ledger_transfer_id, ledger_account, currency_code, amount_minor)
      select $1, $2, account, 'USD', amount from (values ('bank_clearing', $8::bigint),
        ('merchant_balance', $9::bigint - $8::bigint), ('fees', -$9::bigint)) as e(account, amount) where amount <> 0`,
    ...[accountId, id, kind, chargeId, returnId ?? null, attemptId, CREATE_TIME, amountMinor, feeMinor],
  );
  return id;
}
