import type { Query } from "../_database/connect.ts";
import { type Filter, type Listing, nextPageToken, type Page, readPage } from "./page.ts";

/** Reads one page of nouns. */
export async function list<Row, Noun>(
  query: Query,
  listing: Listing,
  page: Page,
  filters: readonly Filter[],
  nounOf: (row: Row) => Noun,
): Promise<{ nouns: Noun[]; nextPageToken: string }> {
  const { rows, hasMore } = await readPage<Row & Record<string, unknown>>(query, listing, page, filters);
  const ids = rows.map((row) => String(row[listing.key]));
  return { nouns: rows.map(nounOf), nextPageToken: nextPageToken(page, ids, hasMore) };
}

/** Only rows whose column says exactly this; an empty text narrows nothing. */
export function equals(column: string, value: string): Filter {
  return { column, operator: "=", value: value === "" ? undefined : value };
}
