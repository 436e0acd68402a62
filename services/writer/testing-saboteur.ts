import type { Database, Statement } from "../_database/connect.ts";

/** What happens at a statement of a name, before or after it runs; the statement itself runs for real. */
export interface Sabotage {
  /** The statement's name. */
  readonly at: string;
  readonly before?: () => Promise<unknown>;
  readonly after?: () => Promise<unknown>;
}

/** A real database where something happens just before or just after a named statement, as in the worst of races. */
export function sabotage(database: Database, { at, before, after }: Sabotage): Database {
  return {
    ...database,
    query: async <Row>(statement: Statement, values: readonly unknown[]) => {
      if (statement.name !== at) return database.query<Row>(statement, values);
      await before?.();
      const rows = await database.query<Row>(statement, values);
      await after?.();
      return rows;
    },
  };
}
