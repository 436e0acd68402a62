import type { Query } from "../_database/connect.ts";
import { fitPage } from "./fit-page.ts";
import { type Filter, type Listing, nextPageToken, type Page, readPage } from "./page.ts";

/** Reads one page of nouns, no more of them than fit into a message. */
export async function list<Row, Noun>(
  query: Query,
  listing: Listing,
  page: Page,
  filters: readonly Filter[],
  nounOf: (row: Row) => Noun,
): Promise<{ nouns: Noun[]; nextPageToken: string }> {
  const { rows, hasMore } = await readPage<Row & Record<string, unknown>>(query, listing, page, filters);
  const ids = rows.map((row) => String(row[listing.key]));
  const nouns = rows.map(nounOf);
  return fitPage(page, { nouns, nextPageToken: nextPageToken(page, ids, hasMore) }, (_, index) => ids[index] ?? "");
}

/** Only rows whose column says exactly this; an empty text narrows nothing. */
export function equals(column: string, value: string): Filter {
  return { column, operator: "=", value: value === "" ? undefined : value };
}
