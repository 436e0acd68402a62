import type { Client } from "pg";

/**
 * Gives the planner first statistics of ids, for tables that were never analysed: few accounts, and at most two rows to any other
 * id of an account. Without them Postgres takes every column to have 200 values, finds a row by its account alone as cheap as
 * by its whole key, and prepared statements keep such plans until the first autoanalyze: a charge then read 12,000 pages
 * instead of 190. Does nothing before Postgres 18, which has no way to write statistics, nor where ANALYZE has been. Returns
 * the tables.
 */
export async function writeFirstStatistics(client: Client): Promise<string[]> {
  const { rows: servers } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  );
  if ((servers[0]?.version ?? 0) < 180_000) return [];
  const { rows } = await client.query<{ name: string }>(
    `select distinct t.name from (
        select c.relname::text as name, pg_restore_attribute_stats('schemaname', 'tripe', 'relname', c.relname::text,
            'attname', a.attname::text, 'inherited', false, 'avg_width', 30,
            'null_frac', (case when a.attnotnull then 0 else 0.5 end)::real,
            'n_distinct', (case when a.attname = 'account_id' then 2 else -0.5 end)::real) as is_written
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'tripe'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
          and a.attname like '%\\_id' and a.atttypid = 'text'::regtype
          and not exists (select from pg_stats s where s.schemaname = 'tripe' and s.tablename = c.relname)
        offset 0
      ) t
      where t.is_written order by 1`,
  );
  return rows.map(({ name }) => name);
}
