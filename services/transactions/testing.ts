import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CreateChargeRequestSchema } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { createClient } from "../_database/connect-client.ts";
import { createId } from "../_runtime/ids.ts";
import { readStatement, type StatementLine } from "../bank/sandbox/statement.ts";
import type { TestTripe } from "../testing.ts";

/** Somebody with a card. */
export interface Payer {
  readonly customerId: string;
  readonly paymentMethodId: string;
}

/** A card that the sandbox bank takes. */
export const GOOD_CARD = "4242424242424242";

/** What tests do with a whole Tripe, calling as the edge does. */
export function createSteps(tripe: TestTripe) {
  const { accountId } = tripe;
  const edge = tripe.clientsOf("edge");
  const key = (requestId = createId("req_")) => ({ accountId, requestId, requestDigest: new Uint8Array([1]) });
  const createPayer = async (number = GOOD_CARD): Promise<Payer> => {
    const [paymentMethodId, tokenId, customerId] = [createId("card_"), createId("tok_"), createId("cus_")];
    const card = { number, expMonth: 12, expYear: 2040, cvc: "" };
    const sealed = await edge.bank.sealCard({ accountId, paymentMethodId, card });
    const paymentMethod = { paymentMethodId, ...(sealed.card && { card: sealed.card }) };
    await edge.writer.createToken({ ...key(), token: { tokenId, paymentMethod }, sealedCard: sealed.sealedCard });
    await edge.writer.createCustomer({ ...key(), customer: { customerId, invoicePrefix: "ABC" }, tokenId });
    return { customerId, paymentMethodId };
  };
  const chargeRequest = (payer: Payer, amountMinor = 2000n) => ({
    ...key(),
    charge: { ...payer, amount: { amountMinor, currencyCode: "USD" } },
  });
  const charge = async (request: MessageInitShape<typeof CreateChargeRequestSchema>) => {
    const answer = await edge.transactions.createCharge(request);
    if (answer.charge === undefined) throw new Error("a charge is answered");
    return { isReplayed: answer.isReplayed, charge: answer.charge };
  };
  return { edge, key, createPayer, chargeRequest, charge };
}

/** The rows of one statement, run by the owner. */
export async function selectRows<Row>(tripe: TestTripe, text: string, ...values: unknown[]): Promise<Row[]> {
  const client = createClient({ url: tripe.database.urls.owner, name: "test" });
  await client.connect();
  try {
    return (await client.query<Row & Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** What the bank really did about a charge: for itself and for its returns. */
export async function effectsOf(tripe: TestTripe, chargeId: string): Promise<StatementLine[]> {
  const refs = await selectRows<{ bank_ref: string }>(
    tripe,
    "select bank_ref from attempt where charge_id = $1",
    chargeId,
  );
  const asked = new Set(refs.map(({ bank_ref }) => bank_ref));
  const lines: StatementLine[] = [];
  for await (const line of readStatement(tripe.statementFile)) if (asked.has(line.bankRef)) lines.push(line);
  return lines;
}

/** Makes the attempts of a charge due, as the end of a lease does. */
export async function makeDue(tripe: TestTripe, chargeId: string): Promise<void> {
  const text =
    "update attempt set resolve_time = statement_timestamp() - interval '1 s' where charge_id = $1 and resolve_time is not null";
  await selectRows(tripe, text, chargeId);
}
