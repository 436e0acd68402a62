import { Code, ConnectError } from "@connectrpc/connect";
import { ChargeState } from "../../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../../gen/tripe/billing/v1/return_pb.ts";
import type { ClientsOf } from "../../../services/_runtime/clients.ts";
import type { Clock } from "../../../services/_runtime/clock.ts";
import { refusalOf } from "../../../services/_runtime/errors.ts";
import { createId } from "../../../services/_runtime/ids.ts";
import type { Random } from "../random.ts";

/** One thing a merchant asks for under a key, and everything it was told about it. */
export interface Wish {
  readonly key: string;
  readonly kind: "charge" | "capture" | "return";
  /** The ids and states of every answer: each was acknowledged, and is never to be lost. */
  readonly answers: { readonly id: string; readonly state: "pending" | "succeeded" | "failed" }[];
  /** The reasons of refusals that stand. */
  readonly refusals: string[];
}

/** Who asks, and with what. */
export interface MerchantOptions {
  readonly accountId: string;
  readonly clients: Pick<ClientsOf<"edge">, "bank" | "reader" | "writer" | "transactions">;
  readonly clock: Clock;
  readonly random: Random;
  readonly wishes: Wish[];
  /** Whether trouble is over: then a merchant asks for nothing more. */
  readonly isOver: () => boolean;
}

/** Cards of the sandbox bank: most work, one is declined. */
const CARDS: readonly [string, ...string[]] = ["4242424242424242", "5555555555554444", "4000000000000341"];

/** Enough for two things to meet, few enough for a run to be over soon. */
const CHARGES_MAX = 4;

/** So many charges are held first and captured later. */
const HELD_SHARE = 0.3;

/** What a client does again under the same key: nothing came, it came too late, or an equal request still runs. */
const AGAIN: ReadonlySet<Code> = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Aborted, Code.Canceled]);

/** Between two wishes, and between two tries, as an SDK waits longer each time: from nothing to this. */
const PAUSE_MAX_MS = 3_000;
const TRY_PAUSE_MAX_MS = 12_000;

/** Makes somebody with a card, in calm weather, who is charged later. */
export async function createPayer({ accountId, clients, random }: MerchantOptions) {
  const [paymentMethodId, tokenId, customerId] = [createId("card_"), createId("tok_"), createId("cus_")];
  const key = () => ({ accountId, requestId: createId("key_"), requestDigest: new Uint8Array([1]) });
  const card = { number: random.pick(CARDS), expMonth: 12, expYear: 2040, cvc: "" };
  const sealed = await clients.bank.sealCard({ accountId, paymentMethodId, card });
  const paymentMethod = { paymentMethodId, ...(sealed.card && { card: sealed.card }) };
  await clients.writer.createToken({ ...key(), token: { tokenId, paymentMethod }, sealedCard: sealed.sealedCard });
  await clients.writer.createCustomer({
    ...key(),
    customer: { customerId, invoicePrefix: customerId.slice(-8).toUpperCase() },
    tokenId,
  });
  return { customerId, paymentMethodId };
}

/** Somebody with a card. */
export type Payer = Awaited<ReturnType<typeof createPayer>>;

/** Charges, returns, asks again, and asks twice at once, until each wish has an answer that stands. */
export async function trade(options: MerchantOptions, payer: Payer): Promise<void> {
  const { clients, random, clock, isOver } = options;
  for (let made = 0; made < CHARGES_MAX && !isOver(); made += 1) {
    await clock.sleep(random.next() * PAUSE_MAX_MS);
    const amountMinor = BigInt(100 + Math.floor(random.next() * 10_000));
    const isHeld = random.next() < HELD_SHARE;
    const charged = await insist(options, "charge", async (key) => {
      const amount = { amountMinor, currencyCode: "USD" };
      const { charge } = await clients.transactions.createCharge({ ...key, charge: { ...payer, amount, isHeld } });
      return { id: charge?.chargeId ?? "", state: CHARGE_STATES[charge?.state ?? 0] };
    });
    if (charged !== undefined) await look(options, charged.id);
    if (charged?.state !== "succeeded" || random.next() < 0.4) continue;
    const chargeId = charged.id;
    if (isHeld) {
      await insist(options, "capture", async (key) => {
        const { charge } = await clients.transactions.captureCharge({ ...key, chargeId, amountMinor: 0n });
        const isOver = charge !== undefined && charge.capturedMinor > 0n;
        return { id: charge?.chargeId ?? "", state: isOver ? "succeeded" : "pending" };
      });
      continue;
    }
    const give = (part: bigint) =>
      insist(options, "return", async (key) => {
        const { return: record } = await clients.transactions.createReturn({ ...key, chargeId, amountMinor: part });
        return { id: record?.returnId ?? "", state: RETURN_STATES[record?.state ?? 0] };
      });
    // Two returns that do not both fit, side by side or one after the other.
    await Promise.all(
      random.next() < 0.5 ? [give(amountMinor), give(amountMinor / 2n)] : [give(amountMinor / 3n + 1n)],
    );
  }
}

/** What was acknowledged can be read at once: a reader that is there finds it. */
async function look({ accountId, clients }: MerchantOptions, chargeId: string): Promise<void> {
  await clients.reader.getCharge({ accountId, chargeId }).catch((error: unknown) => {
    if (!(error instanceof ConnectError) || !AGAIN.has(error.code)) throw error;
  });
}

type Answer = { readonly id: string; readonly state: Wish["answers"][number]["state"] | undefined };
type Key = { readonly accountId: string; readonly requestId: string; readonly requestDigest: Uint8Array };

const CHARGE_STATES: Partial<Record<ChargeState, Wish["answers"][number]["state"]>> = {
  [ChargeState.PENDING]: "pending",
  [ChargeState.SUCCEEDED]: "succeeded",
  [ChargeState.FAILED]: "failed",
};

const RETURN_STATES: Partial<Record<ReturnState, Wish["answers"][number]["state"]>> = {
  [ReturnState.PENDING]: "pending",
  [ReturnState.SUCCEEDED]: "succeeded",
  [ReturnState.FAILED]: "failed",
};

/** Asks under one key until there is an answer, now and then once more, or twice at once. */
async function insist(options: MerchantOptions, kind: Wish["kind"], ask: (key: Key) => Promise<Answer>) {
  const { accountId, random, wishes } = options;
  const wish: Wish = { key: createId("key_"), kind, answers: [], refusals: [] };
  wishes.push(wish);
  const key = { accountId, requestId: wish.key, requestDigest: new Uint8Array([1]) };
  const once = () => askUntilAnswered(options, wish, () => ask(key));
  await (random.next() < 0.2 ? Promise.all([once(), once()]) : once());
  if (random.next() < 0.3) await once();
  return wish.answers.at(-1);
}

async function askUntilAnswered(options: MerchantOptions, wish: Wish, ask: () => Promise<Answer>): Promise<void> {
  const { clock, random } = options;
  for (;;) {
    try {
      const { id, state } = await ask();
      if (state === undefined) throw new Error(`${wish.key} was answered in no state`);
      wish.answers.push({ id, state });
      return;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      const refusal = refusalOf(error);
      if (AGAIN.has(error.code)) await clock.sleep(random.next() * TRY_PAUSE_MAX_MS);
      else if (refusal !== undefined && error.code === Code.FailedPrecondition)
        return void wish.refusals.push(refusal.reason);
      else throw error;
    }
  }
}
