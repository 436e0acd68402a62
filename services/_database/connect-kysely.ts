import { createHash } from "node:crypto";
import {
  type CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { Run } from "./connect.ts";

/** Statements beyond this many different texts run unnamed, so that lists of every length cannot fill the server's memory. */
const namesMax = 500;

/**
 * A Kysely over the connections behind `run`, naming every statement by its text so that each is parsed and planned once
 * per connection. It opens no transactions and streams nothing: see `Database.transaction`.
 */
export function createKysely<Tables>(run: Run): Kysely<Tables> {
  const names = new Map<string, string>();
  const connection: DatabaseConnection = {
    executeQuery: async <Row>(compiled: CompiledQuery): Promise<QueryResult<Row>> => {
      const name = nameOf(names, compiled.sql);
      const result = await run<Row>({ name, text: compiled.sql }, compiled.parameters);
      return { rows: result.rows, numAffectedRows: BigInt(result.rowCount) };
    },
    streamQuery: () => {
      throw new Error("Rows are not streamed: every list of Tripe's has a limit.");
    },
  };
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createDriver: () => ({
        init: async () => undefined,
        acquireConnection: async () => connection,
        releaseConnection: async () => undefined,
        destroy: async () => undefined,
        beginTransaction: refuseTransaction,
        commitTransaction: refuseTransaction,
        rollbackTransaction: refuseTransaction,
      }),
    },
  });
}

function nameOf(names: Map<string, string>, text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= namesMax) return "";
  const name = `k_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
  names.set(text, name);
  return name;
}

async function refuseTransaction(): Promise<never> {
  throw new Error("A transaction is opened with Database.transaction, which holds a connection of its own.");
}
