import { expect, test } from "vitest";
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
