import { type Client, escapeIdentifier } from "pg";

/**
 * Has every text of the schema `tripe` compare byte by byte (collation "C"), where the database compares otherwise, as one
 * made with a language's locale does: ids are numbers in base 62, and "a" before "B" would list charges in an order that is
 * not that of their making. Does nothing to columns that compare so already. Returns the tables that were changed; on tables
 * with rows each index over such a column is built anew.
 */
export async function collateByBytes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; columns: string[] }>(
    `select c.relname::text as name,
        array_agg(format('alter column %I type %s collate "C"', a.attname, format_type(a.atttypid, a.atttypmod))) as columns
      from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'tripe'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
        and a.attcollation = (select oid from pg_collation where collname = 'default')
        -- What tells orders apart: letters of both cases, digits and signs.
        and (select array_agg(t order by t) <> array_agg(t order by t collate "C")
          from unnest(array['a', 'B', 'b', 'A', '_', '1', '-', 'a_', 'aB', 'a1', '_a', '-b']) t)
      group by 1 order by 1`,
  );
  await client.query("begin");
  for (const { name, columns } of rows) {
    await client.query(`alter table tripe.${escapeIdentifier(name)} ${columns.join(", ")}`);
  }
  await client.query("commit");
  return rows.map(({ name }) => name);
}
