import { expect, test } from "vitest";
import { violatedConstraint } from "../_database/connect.ts";
import { startTestWriter } from "./testing.ts";

const { setup, rows, asOwner } = await startTestWriter();

test("the ledger can be neither changed nor unbalanced, by the writer or by the owner", async () => {
  const { ledgerTransferId: id } = (await setup().succeedCharge()).charge;
  await expect(rows("update ledger_entry set amount_minor = 1 where ledger_transfer_id = $1", id)).rejects.toThrow(
    /denied/,
  );
  await expect(rows("delete from ledger_transfer where ledger_transfer_id = $1", id)).rejects.toThrow(/denied/);
  await expect(asOwner("delete from ledger_entry where ledger_transfer_id = $1", id)).rejects.toThrow(/append-only/);
  await expect(asOwner("update ledger_transfer set kind = 'return'")).rejects.toThrow(/append-only/);
  await expect(asOwner("truncate ledger_entry")).rejects.toThrow(/append-only/);
  await expect(
    asOwner(
      "insert into ledger_entry select account_id, ledger_transfer_id, 'fees', 'EUR', 5 from ledger_transfer where ledger_transfer_id = $1",
      id,
    ),
  ).rejects.toThrow(/sum to zero/);
});

test("every transfer that settling makes sums to zero in its currency", async () => {
  await setup().succeedCharge();
  const unbalanced = await rows(
    "select ledger_transfer_id from ledger_entry group by 1, currency_code having sum(amount_minor) <> 0",
  );
  expect(unbalanced).toEqual([]);
});

test("the database itself refuses a second charge, attempt, booking or claim where there may be one", async () => {
  const { charge } = await setup().succeedCharge();
  const id = charge.chargeId;
  const copy = (table: string, change: string) =>
    asOwner(
      `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object(${change}))).* from ${table} t where t.charge_id = $1`,
      id,
    ).catch((error: unknown) => violatedConstraint(error));
  expect(await copy("attempt", "'attempt_id', 'att_2'")).toBe("attempt_bank_ref_own");
  expect(await copy("attempt", "'attempt_id', 'att_2', 'bank_ref', 'att_2'")).toBe("attempt_charge");
  expect(await copy("ledger_transfer", "'ledger_transfer_id', 'txn_2'")).toBe(
    "ledger_transfer_account_id_attempt_id_key",
  );
  const { charge: other } = await setup().succeedCharge();
  const spend = (chargeId: string) => asOwner("update charge set token_id = 'tok_1' where charge_id = $1", chargeId);
  await spend(id);
  expect(violatedConstraint(await spend(other.chargeId).catch((error: unknown) => error))).toBe("charge_token");
  const claim = asOwner("insert into idempotency select d.* from idempotency d where noun_id = $1", id);
  expect(violatedConstraint(await claim.catch((error: unknown) => error))).toBe("idempotency_pkey");
});

test("the database itself refuses a charge that returns more than it captured, or states that contradict", async () => {
  const { charge } = await setup().succeedCharge();
  const change = (set: string) =>
    asOwner(`update charge set ${set} where charge_id = $1`, charge.chargeId).catch((error: unknown) =>
      violatedConstraint(error),
    );
  for (const set of [
    "returned_minor = 2001",
    "returned_minor = -1",
    "captured_minor = 2001",
    "state = 'pending'",
    "state = 'failed'",
    "ledger_transfer_id = null",
    "settle_time = null",
  ]) {
    expect([set, await change(set)]).toEqual([set, expect.stringMatching(/^charge_.*check/)]);
  }
});
