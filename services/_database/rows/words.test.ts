import { expect, test } from "vitest";
import * as account from "../../../gen/tripe/billing/v1/account_pb.ts";
import * as attempt from "../../../gen/tripe/billing/v1/attempt_pb.ts";
import * as charge from "../../../gen/tripe/billing/v1/charge_pb.ts";
import * as ledger from "../../../gen/tripe/billing/v1/ledger_pb.ts";
import * as paymentMethod from "../../../gen/tripe/billing/v1/payment_method_pb.ts";
import * as record from "../../../gen/tripe/billing/v1/return_pb.ts";
import * as webhookEndpoint from "../../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import * as delivery from "../../../gen/tripe/reader/v1/deliveries_pb.ts";
import { createClient } from "../connect-client.ts";
import { createTestDatabase } from "../testing.ts";
import * as words from "./words.ts";

const { urls } = await createTestDatabase();

/** Each column, its words, and the numbers of its enum but for UNSPECIFIED and what is never stored. */
const columns: [column: string, words.Words<number>, values: number[]][] = [
  ["charge.state", words.chargeStates, valuesOf(charge.ChargeState)],
  ["charge_return.state", words.returnStates, valuesOf(record.ReturnState)],
  ["attempt.kind", words.attemptKinds, valuesOf(attempt.AttemptKind)],
  [
    "attempt.outcome",
    words.outcomes,
    valuesOf(attempt.OutcomeKind).filter((one) => one !== attempt.OutcomeKind.UNKNOWN),
  ],
  ["payment_method.cvc_check", words.checkResults, valuesOf(paymentMethod.CheckResult)],
  ["ledger_transfer.kind", words.ledgerTransferKinds, valuesOf(ledger.LedgerTransferKind)],
  ["api_key.kind", words.apiKeyKinds, valuesOf(account.ApiKeyKind)],
  ["delivery.state", words.deliveryStates, valuesOf(delivery.EventDeliveryState)],
  ["webhook_endpoint.disable_reason", words.disableReasons, valuesOf(webhookEndpoint.DisableReason)],
];

test.each(columns)(
  "%s: every value has a word, every word is its value again, and no other word is one",
  (_, of, values) => {
    for (const value of values) expect(of.of(of.word(value))).toBe(value);
    expect(() => of.word(0)).toThrow(/no word stands for/);
    expect(() => of.word(999)).toThrow(/no word stands for/);
    expect(() => of.of("toString")).toThrow(/no enum value has the word/);
  },
);

test.each(columns)("%s: the CHECK of the column knows the same words", async (column, of, values) => {
  const [table, name] = column.split(".");
  const client = createClient({ url: urls.owner, name: "test" });
  await client.connect();
  const { rows } = await client.query<{ text: string }>(
    "select pg_get_constraintdef(oid) as text from pg_constraint where conrelid = $1::regclass and contype = 'c'",
    [`tripe.${table}`],
  );
  await client.end();
  const check = rows.find(({ text }) => text.startsWith(`CHECK ((${name} = ANY`));
  const known = check?.text.match(/'(\w+)'/g)?.map((word) => word.slice(1, -1));
  expect(known?.sort()).toEqual(values.map((value) => of.word(value)).sort());
});

function valuesOf(numbers: Readonly<Record<string, string | number>>): number[] {
  return Object.values(numbers).filter((value): value is number => typeof value === "number" && value !== 0);
}
