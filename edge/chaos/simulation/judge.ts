import { inspect } from "node:util";
import { runAudit } from "../../../services/_audit/audit.ts";
import { systemClock } from "../../../services/_runtime/clock.ts";
import { silentLog } from "../../../services/_runtime/log.ts";
import { readStatement } from "../../../services/bank/sandbox/statement.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { Wish } from "./merchant.ts";

interface Made {
  readonly id: string;
  readonly request_id: string;
  readonly state: string;
}

/** Holds what merchants were told against what is so, and proves the books: every contradiction in words, none when all is well. */
export async function judge(
  database: SimulatedDatabase,
  wishes: readonly Wish[],
  statementFile: string,
): Promise<string[]> {
  const made = await database.rows<Made>(
    `select charge_id as id, request_id, state from tripe.charge
      union all select return_id, request_id, state from tripe.charge_return
      union all select d.noun_id, d.request_id, case when c.captured_minor > 0 then 'succeeded' else 'pending' end
        from tripe.idempotency d join tripe.charge c on c.charge_id = d.noun_id and c.request_id <> d.request_id`,
  );
  const byKey = Map.groupBy(made, ({ request_id }) => request_id);
  const problems = wishes.flatMap((wish) => judgeWish(wish, byKey.get(wish.key) ?? []));
  const statement = readStatement(statementFile);
  const findings = await runAudit({ databaseUrl: database.auditUrl, statement, clock: systemClock, log: silentLog });
  return [
    ...problems,
    ...findings.map(
      ({ name, count, rows }) => `${name} × ${count}: ${inspect(rows[0], { breakLength: Number.POSITIVE_INFINITY })}`,
    ),
  ];
}

function judgeWish({ key, answers, refusals }: Wish, made: readonly Made[]): string[] {
  const [one] = made;
  if (made.length > 1) return [`${key} is ${made.length} nouns`];
  if (answers.length > 0 && one === undefined) return [`${key} was answered and is nothing`];
  if (refusals.length > 0 && one !== undefined && answers.length === 0) {
    return [`${key} was refused (${refusals[0]}) and is ${one.id}`];
  }
  return answers.flatMap(({ id, state }) => {
    if (id !== one?.id) return [`${key} was told ${id} and is ${one?.id}`];
    return state === "pending" || state === one.state ? [] : [`${id} was told ${state} and is ${one.state}`];
  });
}
