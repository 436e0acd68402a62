import { expect, test } from "vitest";
import { OutcomeKind } from "../../gen/tripe/billing/v1/attempt_pb.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createId } from "../_runtime/ids.ts";
import { startTestWriter } from "./testing.ts";
import { type Begun, createSteps } from "./testing-steps.ts";

const { rows, openWriter, accountId } = await startTestWriter();

/** Two writers, as two processes have them: connections, batches and statements of their own. */
function setup() {
  const [one, other] = [createSteps(openWriter(), accountId), createSteps(openWriter(), accountId)];
  return { one, other, both: [one, other] as const };
}

/** Runs one thing on both writers at once, many times over, and says how each of them ended. */
async function raceAll<Item, Answer>(
  items: readonly Item[],
  { both }: ReturnType<typeof setup>,
  work: (steps: ReturnType<typeof createSteps>, item: Item) => Promise<Answer>,
): Promise<PromiseSettledResult<Answer>[][]> {
  return Promise.all(items.map((item) => Promise.allSettled(both.map((steps) => work(steps, item)))));
}

/** Reasons that say "come again", which a race may end in: nothing was done. */
const PASSING = ["CHARGE_CHANGING", "DATABASE_BUSY"];

function reasonsOf(results: readonly PromiseSettledResult<unknown>[][]): string[] {
  const rejected = results.flat().filter((one) => one.status === "rejected");
  return rejected.map(({ reason }) => refusalOf(reason)?.reason ?? String(reason));
}

async function countOf(text: string): Promise<number> {
  return (await rows<{ count: number }>(`select count(*)::int as count from (${text}) as found`))[0]?.count ?? -1;
}

/** What must hold whatever raced, as the audit says it. */
async function expectBooks(): Promise<void> {
  const violations = {
    unbalanced: "select 1 from ledger_entry group by ledger_transfer_id, currency_code having sum(amount_minor) <> 0",
    unbooked: `select 1 from attempt t left join ledger_transfer l using (account_id, attempt_id)
      where (t.state = 'succeeded') <> (l.attempt_id is not null)`,
    overReturned: `select 1 from charge c where c.returned_minor <> (select coalesce(sum(amount_minor), 0)
      from charge_return r where r.charge_id = c.charge_id and r.state in ('pending', 'succeeded'))`,
    unanswered: `select 1 from charge c join idempotency d using (account_id, request_id)
      where (c.state = 'pending') <> (d.answer is null)`,
    untold: `select 1 from charge c where c.state <> 'pending' and 1 <> (select count(*) from event e
      where e.object_id = c.charge_id and e.type in ('charge.succeeded', 'charge.failed'))`,
  };
  for (const [name, text] of Object.entries(violations)) expect([name, await countOf(text)]).toEqual([name, 0]);
}

async function beginMany(steps: ReturnType<typeof createSteps>, count: number): Promise<Begun[]> {
  const payer = await steps.createPayer();
  return Promise.all(Array.from({ length: count }, () => steps.beginCharge(payer)));
}

test("200 charges begun by two writers at once, each request by both, are 200 charges", async () => {
  const fixture = setup();
  const payer = await fixture.one.createPayer();
  const requestIds = Array.from({ length: 200 }, () => createId("req_"));
  const results = await raceAll(requestIds, fixture, async ({ writer, chargeRequest, settleCharge }, requestId) => {
    const { charge, attempt } = await writer.beginCharge(chargeRequest(payer, { requestId }));
    if (attempt !== undefined) await settleCharge({ attempt }, OutcomeKind.ACCEPTED);
    return charge?.chargeId;
  });
  expect(reasonsOf(results)).toEqual([]);
  for (const pair of results) expect(new Set(pair.map((one) => one.status === "fulfilled" && one.value)).size).toBe(1);
  expect(await countOf(`select 1 from charge where customer_id = '${payer.customerId}'`)).toBe(200);
  await expectBooks();
});

test("200 attempts settled by two writers at once, while their words change, are settled once each", async () => {
  const fixture = setup();
  const begun = await beginMany(fixture.one, 200);
  const kinds = [OutcomeKind.ACCEPTED, OutcomeKind.DECLINED];
  const [settled, updated] = await Promise.all([
    raceAll(begun, fixture, ({ settleCharge }, one) =>
      settleCharge(one, kinds[begun.indexOf(one) % 2] ?? OutcomeKind.ACCEPTED),
    ),
    raceAll(begun.slice(0, 50), fixture, ({ writer, key }, { charge: { chargeId } }) =>
      writer.updateCharge({
        ...key(),
        charge: { chargeId, description: "changed" },
        updateMask: { paths: ["description"] },
      }),
    ),
  ]);
  expect(reasonsOf([...settled, ...updated]).filter((reason) => !PASSING.includes(reason))).toEqual([]);
  const here = settled.map(
    (pair) => pair.filter((one) => one.status === "fulfilled" && one.value.isSettledHere).length,
  );
  expect(here.filter((count) => count > 1)).toEqual([]);
  expect(await countOf("select 1 from alert")).toBe(0);
  await expectBooks();
});

test("two writers that disagree settle once, and raise an alert for every loser", async () => {
  const fixture = setup();
  const begun = await beginMany(fixture.one, 60);
  const results = await Promise.all(
    begun.map((one) =>
      Promise.allSettled([
        fixture.one.settleCharge(one, OutcomeKind.ACCEPTED),
        fixture.other.settleCharge(one, OutcomeKind.DECLINED),
      ]),
    ),
  );
  const refused = reasonsOf(results);
  expect(refused).toEqual(refused.map(() => "ANSWERS_DISAGREE"));
  expect(refused).toHaveLength(60);
  expect(await countOf("select 1 from alert where reason = 'ANSWERS_DISAGREE'")).toBe(60);
  await expectBooks();
});

test("returns begun and ended by two writers never give back more than was captured, nor lose what failed", async () => {
  const fixture = setup();
  const begun = await beginMany(fixture.one, 20);
  await Promise.all(begun.map((one) => fixture.one.settleCharge(one, OutcomeKind.ACCEPTED)));
  const items = Array.from({ length: 8 }, () => begun).flat();
  let turn = 0;
  const results = await raceAll(items, fixture, async ({ beginReturn, settleReturn }, { charge: { chargeId } }) => {
    turn += 1;
    const kind = turn % 3 === 0 ? OutcomeKind.DECLINED : OutcomeKind.ACCEPTED;
    return settleReturn(await beginReturn(chargeId, 300n), kind);
  });
  const allowed = [...PASSING, "RETURN_EXCEEDS_CHARGE"];
  expect(reasonsOf(results).filter((reason) => !allowed.includes(reason))).toEqual([]);
  expect(await countOf("select 1 from charge where returned_minor > captured_minor")).toBe(0);
  await expectBooks();
});

test("two writers that lease at once never hold the same attempt", async () => {
  const fixture = setup();
  const begun = await beginMany(fixture.one, 100);
  const ids = begun.map(({ attempt }) => attempt.attemptId);
  await rows(
    "update attempt set resolve_time = statement_timestamp() - interval '1 s' where attempt_id = any($1)",
    ids,
  );
  const leases = await Promise.all(
    Array.from({ length: 10 }, (_, index) => fixture.both[index % 2]?.writer.leaseAttempts({ limit: 30 })),
  );
  const taken = leases.flatMap((lease) => lease?.attempts.map(({ attemptId }) => attemptId) ?? []);
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.filter((id) => ids.includes(id))).toHaveLength(100);
});

test("cards attached, detached and charged by two writers at once end in no deadlock and in one owner each", async () => {
  const fixture = setup();
  const payers = await Promise.all(Array.from({ length: 10 }, () => fixture.one.createPayer()));
  const results = await raceAll(
    payers,
    fixture,
    async ({ writer, key, chargeRequest }, { customerId, paymentMethodId }) => {
      const outcomes = await Promise.allSettled([
        writer.attachPaymentMethod({ ...key(), customerId, paymentMethodId, isDefault: true }),
        writer.updateCustomer({ ...key(), customer: { customerId, name: "N" }, updateMask: { paths: ["name"] } }),
        writer.beginCharge(chargeRequest({ customerId, paymentMethodId })),
        writer.detachPaymentMethod({ ...key(), paymentMethodId }),
        writer.deleteCustomer({ ...key(), customerId }),
      ]);
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    },
  );
  const allowed = ["PAYMENT_METHOD_DETACHED", "PAYMENT_METHOD_NOT_ATTACHED", "CUSTOMER_DELETED"];
  expect(reasonsOf(results).filter((reason) => !allowed.includes(reason))).toEqual([]);
  const defaults = `select 1 from customer u join payment_method p on p.payment_method_id = u.default_payment_method_id
    where p.customer_id is distinct from u.customer_id`;
  expect(await countOf(defaults)).toBe(0);
});
