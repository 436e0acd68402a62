import { Client } from "pg";

/** A statement that this process sent to Postgres. */
export interface SentStatement {
  /** The role that sent it, without the database's number: "tripe_writer". */
  readonly role: string;
  readonly text: string;
  /** Whether its end was a commit: a COMMIT, or a statement that writes outside of a transaction. */
  readonly isCommit: boolean;
}

const WRITES = /\b(insert\s+into|update\s+\w+(\s+\w+)?\s+set|delete\s+from)\b/i;

/**
 * Notes every statement that this process sends, in order, until `stop` is called. pg_stat_statements counts statements, not
 * which of them ran inside a transaction.
 */
export function logStatements(): { readonly sent: SentStatement[]; stop(): void } {
  const sent: SentStatement[] = [];
  const inTransaction = new WeakSet<Client>();
  const original = Client.prototype.query;
  const note = (client: Client, query: unknown) => {
    const text = textOf(query).trim();
    const verb = /^\w+/.exec(text)?.[0].toLowerCase();
    if (verb === "begin") inTransaction.add(client);
    const isCommit = verb === "commit" || (!inTransaction.has(client) && WRITES.test(text));
    if (verb === "commit" || verb === "rollback") inTransaction.delete(client);
    sent.push({ role: (client.user ?? "").replace(/_[0-9]+$/, ""), text, isCommit });
  };
  function query(this: Client, ...given: Parameters<typeof original>): unknown {
    note(this, given[0]);
    return Reflect.apply(original, this, given);
  }
  Client.prototype.query = query as typeof original;
  return {
    sent,
    stop: () => {
      Client.prototype.query = original;
    },
  };
}

function textOf(query: unknown): string {
  if (typeof query === "string") return query;
  return typeof query === "object" && query !== null && "text" in query ? String(query.text) : "";
}
