import { findCardNumbers } from "../../_runtime/card-number.ts";
import { CANDIDATE_PATTERN, maskCardNumber } from "../card-number.ts";
import { type Check, createTally, type Offending } from "../check.ts";
import type { Snapshot } from "../snapshot.ts";

/** No table has a card number in a column that can hold text; those of other schemas count too, where the audit may read. */
export const cardNumberCheck: Check = {
  name: "cards-database",
  sentence: "No row of the database holds a card number.",
  find: findInDatabase,
};

/** Every ordinary table that the audit's role may read, with its columns that can hold text, arrays and bytes among them. */
const TABLES = `
  select c.oid::regclass::text as table_name,
    array_agg(quote_ident(a.attname) order by a.attnum)::text[] as columns,
    array_agg(a.atttypid = 'bytea'::regtype order by a.attnum) as are_bytes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
  where c.relkind in ('r', 'm') and n.nspname !~ '^pg_|^information_schema$'
    and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
    and (t.typcategory = 'S' or t.typcategory = 'A' or t.typname in ('json', 'jsonb', 'bytea', 'xml', 'hstore'))
  group by c.oid order by 1`;

interface Table {
  readonly table_name: string;
  readonly columns: readonly string[];
  readonly are_bytes: readonly boolean[];
}

async function findInDatabase(snapshot: Snapshot): Promise<Offending> {
  const tally = createTally();
  for (const table of await snapshot.query<Table>(TABLES)) {
    const texts = table.columns.map((column, index) => textOf(column, table.are_bytes[index] === true));
    const query = `select ctid::text as place, array[${texts.join(", ")}] as texts from ${table.table_name}
      where concat_ws(E'\\n', ${texts.join(", ")}) ~ '${CANDIDATE_PATTERN}'`;
    for await (const rows of snapshot.stream<{ place: string; texts: (string | null)[] }>(query)) {
      for (const { place, texts: values } of rows) {
        values.forEach((value, index) => {
          for (const number of findCardNumbers(value ?? "")) {
            const column = table.columns[index];
            tally.add({ table: table.table_name, column, row: place, number: maskCardNumber(number) });
          }
        });
      }
    }
  }
  return tally.total();
}

/** Bytes as text: ASCII as it is, every other byte a space, so that no octal escape looks like digits. */
function textOf(column: string, isBytes: boolean): string {
  return isBytes ? `regexp_replace(encode(${column}, 'escape'), '\\\\[0-7]{3}', ' ', 'g')` : `${column}::text`;
}
