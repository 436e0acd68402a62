import { createClient } from "../../_database/connect-client.ts";
import { systemClock } from "../../_runtime/clock.ts";
import { createId } from "../../_runtime/ids.ts";
import { silentLog } from "../../_runtime/log.ts";
import type { Fault } from "../../bank/sandbox/faults.ts";
import { readStatement } from "../../bank/sandbox/statement.ts";
import { startTestTripe } from "../../testing.ts";
import { runAudit } from "../audit.ts";
import type { StatementLine } from "../statement.ts";

/** Ids of a small merchant's day: what the planted faults are about. */
export interface Day {
  readonly accountId: string;
  readonly liveAccountId: string;
  /** 20.00 USD, succeeded, nothing returned. */
  readonly paidId: string;
  /** Declined by the bank. */
  readonly declinedId: string;
  /** 30.00 USD, succeeded, 5.00 returned. */
  readonly returnedId: string;
  readonly returnId: string;
  /** Done at the bank, whose answer was lost: pending here. */
  readonly lostId: string;
}

/** A Tripe with a day's charges, each kind of end among them, and what a test adds, to be audited before and after something is broken. */
export async function createWorld(liveOn: (tripe: Tripe) => Promise<void> = async () => {}) {
  let fault: Fault | undefined;
  const tripe = await startTestTripe({
    nextFault: () => {
      const next = fault;
      fault = undefined;
      return next;
    },
  });
  const owner = createClient({ url: tripe.database.urls.owner, name: "test" });
  await owner.connect();
  const charge = createCharger(tripe);
  const day = await liveThroughADay(tripe, charge, () => {
    fault = { kind: "lose", lateMs: 0 };
  });
  await liveOn(tripe);
  // The file's tests may take longer than what is pending has before it is overdue.
  await owner.query("update attempt set resolve_time = resolve_time + interval '1 h' where state = 'pending'");
  const readLines = async () => {
    const lines: StatementLine[] = [];
    for await (const line of readStatement(tripe.statementFile)) lines.push(line);
    return lines;
  };
  const audit = (lines: AsyncIterable<StatementLine> | undefined, dataDir?: string) =>
    runAudit({ databaseUrl: tripe.database.urls.audit, statement: lines, dataDir, clock: systemClock, log: silentLog });
  return { tripe, owner, day, charge, readLines, audit, forget: await createForgetting(owner) };
}

type Tripe = Awaited<ReturnType<typeof startTestTripe>>;
type Charge = ReturnType<typeof createCharger>;

/** Charges a card of its own to nobody's account, as with a token. */
function createCharger({ clientsOf, accountId }: Tripe) {
  const edge = clientsOf("edge");
  const key = () => ({ accountId, requestId: createId("req_"), requestDigest: new Uint8Array([1]) });
  return async (number: string, amountMinor: bigint, timeoutMs = 5_000) => {
    const paymentMethodId = createId("card_");
    const tokenId = createId("tok_");
    const { sealedCard, card } = await edge.bank.sealCard({
      accountId,
      paymentMethodId,
      card: { number, expMonth: 12, expYear: 2040, cvc: "" },
    });
    const paymentMethod = { paymentMethodId, ...(card && { card }) };
    await edge.writer.createToken({ ...key(), token: { tokenId, paymentMethod }, sealedCard });
    const amount = { amountMinor, currencyCode: "USD" };
    const asked = { ...key(), tokenId, charge: { paymentMethodId, amount } };
    const answer = await edge.transactions.createCharge(asked, { timeoutMs });
    return answer.charge?.chargeId ?? "";
  };
}

async function liveThroughADay(tripe: Tripe, charge: Charge, loseNext: () => void): Promise<Day> {
  const { accountId, liveAccountId } = tripe;
  const paidId = await charge("4242424242424242", 2_000n);
  const declinedId = await charge("4000000000000341", 2_000n);
  const returnedId = await charge("5555555555554444", 3_000n);
  const answer = await tripe.clientsOf("edge").transactions.createReturn({
    accountId,
    requestId: createId("req_"),
    requestDigest: new Uint8Array([1]),
    chargeId: returnedId,
    amountMinor: 500n,
  });
  loseNext();
  const lostId = await charge("4242424242424242", 4_000n, 1_200);
  const returnId = answer.return?.returnId ?? "";
  return { accountId, liveAccountId, paidId, declinedId, returnedId, returnId, lostId };
}

/**
 * Takes the database's own guards away (its CHECKs; triggers and foreign keys in this connection), so that faults can be
 * planted that it would refuse. Returns what brings all rows back as they were.
 */
async function createForgetting(owner: ReturnType<typeof createClient>): Promise<() => Promise<void>> {
  await owner.query("set session_replication_role = replica");
  await owner.query(`do $$ declare it record; begin
    for it in select conrelid::regclass as place, conname from pg_constraint
      where connamespace = 'tripe'::regnamespace and contype = 'c' loop
      execute format('alter table %s drop constraint %I', it.place, it.conname);
    end loop; end $$`);
  const { rows } = await owner.query<{ name: string; columns: string }>(
    `select c.relname::text as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      where c.relnamespace = 'tripe'::regnamespace and c.relkind = 'r' and c.relname <> 'migration' group by 1`,
  );
  const tables = rows.map(({ name }) => name);
  await owner.query(
    `create schema kept; ${tables.map((name) => `create table kept.${name} as table tripe.${name}`).join(";")}`,
  );
  return async () => {
    await owner.query(`truncate ${tables.map((name) => `tripe.${name}`).join(", ")}`);
    const refill = rows.map(
      ({ name, columns }) => `insert into tripe.${name} (${columns}) select ${columns} from kept.${name}`,
    );
    await owner.query(refill.join(";"));
  };
}
