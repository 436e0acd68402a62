import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { runAudit } from "../_audit/audit.ts";
import { systemClock } from "../_runtime/clock.ts";
import { silentLog } from "../_runtime/log.ts";
import { parseFaults } from "../bank/sandbox/faults.ts";
import { readStatement, type StatementLine } from "../bank/sandbox/statement.ts";
import { startTestTripe } from "../testing.ts";
import { createSteps, selectRows } from "./testing.ts";

/** 7-reliability.md, T7: the mix, a hundredth of its times, and how many charges; the soak's seeds are by chance. */
const SEED = 42;
const MIX = "lose=5,drop=5,late=3,double=3,reset=2,malformed=1,echo=1,scale=0.01";
const CHARGES_COUNT = 500;
const RETURNS_COUNT = 100;

/** At once: one connection that a bank resets costs all of them their answer. */
const LANES_COUNT = 10;

/** As patient as a test can be with a bank that does not answer: it is waited for 700 ms. */
const PATIENCE = { timeoutMs: 1_200 };

/** A bank loses every fifth answer, the questions' too: after so many rounds, one attempt in a billion is still open. */
const ROUNDS_MAX = 15;

const tripe = await startTestTripe({ nextFault: parseFaults(`${SEED}:${MIX}`) });
const { accountId } = tripe;

/** Asks again under the same key, as a client does whose answer did not come in time. */
async function insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const isLate = error instanceof ConnectError && AGAIN.has(error.code);
      if (!isLate || tries === TRIES_MAX) throw error;
    }
  }
}

/** The deadline has passed, or the equal request still runs. */
const AGAIN: ReadonlySet<Code> = new Set([Code.DeadlineExceeded, Code.Aborted]);

/** On a machine that does much else beside. */
const TRIES_MAX = 20;

async function inLanes(count: number, work: () => Promise<unknown>): Promise<void> {
  let begunCount = 0;
  const lane = async () => {
    while (begunCount < count) {
      begunCount += 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: LANES_COUNT }, lane));
}

test("500 charges and 100 returns on a bank's bad day: the statement is the ledger, exactly", {
  timeout: 90_000,
}, async () => {
  const { edge, key, createPayer, chargeRequest } = createSteps(tripe);
  const payer = await createPayer();
  const pending = { charges: 0, returns: 0 };
  await inLanes(CHARGES_COUNT, async () => {
    const request = chargeRequest(payer);
    const { charge } = await insist(() => edge.transactions.createCharge(request, PATIENCE));
    if (charge?.state === ChargeState.PENDING) pending.charges += 1;
  });
  const succeeded = "select charge_id from charge where state = 'succeeded' limit $1";
  const charges = await selectRows<{ charge_id: string }>(tripe, succeeded, RETURNS_COUNT);
  await inLanes(RETURNS_COUNT, async () => {
    const request = { ...key(), chargeId: charges.pop()?.charge_id ?? "", amountMinor: 700n };
    const { return: record } = await insist(() => edge.transactions.createReturn(request, PATIENCE));
    if (record?.state === ReturnState.PENDING) pending.returns += 1;
  });
  // The mix did what it says: every seventh answer is none at once, so that none of all would be one chance in millions.
  expect(pending.charges).toBeGreaterThan(0);
  expect(pending.returns).toBeGreaterThan(0);

  // Nobody was told that anything failed, and in the end all of it has succeeded.
  await resolveAll();
  expect(await selectRows(tripe, countStates("charge"))).toEqual([{ state: "succeeded", count: CHARGES_COUNT }]);
  expect(await selectRows(tripe, countStates("charge_return"))).toEqual([{ state: "succeeded", count: RETURNS_COUNT }]);
  const lines: StatementLine[] = [];
  for await (const line of readStatement(tripe.statementFile)) lines.push(line);
  const clearing = await selectRows<{ bank_ref: string; amount: number }>(
    tripe,
    `select a.bank_ref, e.amount_minor::int as amount from ledger_entry e
      join ledger_transfer t using (account_id, ledger_transfer_id) join attempt a using (account_id, attempt_id)
      where e.ledger_account = 'bank_clearing' and e.account_id = $1`,
    accountId,
  );
  const moved = lines.map((line) => `${line.bankRef} ${line.kind === "purchase" ? "" : "-"}${line.amountMinor}`);
  expect(moved.sort()).toEqual(clearing.map(({ bank_ref, amount }) => `${bank_ref} ${amount}`).sort());
  expect(lines.filter(({ kind }) => kind === "purchase")).toHaveLength(CHARGES_COUNT);
  expect(lines.filter(({ kind }) => kind === "refund")).toHaveLength(RETURNS_COUNT);
  const databaseUrl = tripe.database.urls.audit;
  const statement = readStatement(tripe.statementFile);
  expect(await runAudit({ databaseUrl, statement, clock: systemClock, log: silentLog })).toEqual([]);
});

const countStates = (table: string) => `select state, count(*)::int as count from ${table} group by state`;

/** Whatever waits for its next try is due, and so is what a sweep that was too slow still holds. */
const PASS_TIME = `update attempt set resolve_time = statement_timestamp(), lease_end_time = statement_timestamp()
  where state = 'pending'`;

/** What the scheduler does in the course of an hour. */
async function resolveAll(): Promise<void> {
  const { transactions } = tripe.clientsOf("scheduler");
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await selectRows(tripe, PASS_TIME);
    if ((await transactions.resolveAttempts({ limit: 500 })).takenCount === 0) return;
  }
}
