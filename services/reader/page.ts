import { createHash } from "node:crypto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { CreateTimeRange } from "../../gen/tripe/reader/v1/create_time_range_pb.ts";
import type { Query } from "../_database/connect.ts";

/** Which page is asked for: the part that every list request shares. */
export interface Page {
  readonly accountId: string;
  readonly pageSize: number;
  readonly pageToken: string;
  readonly isBackward: boolean;
  readonly createTimeRange?: CreateTimeRange | undefined;
}

/** What is listed. The words are put into the statement as they are: they are never a caller's. */
export interface Listing {
  /** Stands for the listing in the statement's name. */
  readonly name: string;
  /** From `select` up to before `where`. */
  readonly select: string;
  /** The table's alias. */
  readonly alias: string;
  /** The id's column: ids sort by time of creation. */
  readonly key: string;
  /** Whether the ids have several prefixes: they are then sorted by what follows. */
  readonly hasPrefixes?: boolean;
}

/** A condition on a column; a value of undefined sets none. */
export interface Filter {
  readonly column: string;
  readonly operator: "=" | ">=" | "<" | "is" | "is not" | "in";
  /** Null for `is` and `is not`; a list for `in`. */
  readonly value: string | boolean | Date | readonly string[] | null | undefined;
}

// As many as there are listings times their filters: some hundred texts, made of our own words alone.
const names = new Map<string, string>();

/** Stripe's default. */
const SIZE_DEFAULT = 10;

/**
 * Reads one page, newest first, by the key: never by an offset, so a page costs the same wherever it is. One row more than
 * the page tells whether there is a next one in the same direction.
 */
export async function readPage<Row>(
  query: Query,
  listing: Listing,
  page: Page,
  filters: readonly Filter[],
): Promise<{ rows: Row[]; hasMore: boolean }> {
  const size = page.pageSize === 0 ? SIZE_DEFAULT : page.pageSize;
  const { alias, key } = listing;
  const sorted = (id: string) => (listing.hasPrefixes === true ? `split_part(${id}, '_', 2)` : id);
  const cursor: Filter[] = page.pageToken === "" ? [] : [{ column: key, operator: "<", value: page.pageToken }];
  const conditions = [...filters, ...rangeOf(page.createTimeRange), ...cursor].filter(
    ({ value }) => value !== undefined,
  );
  const values: unknown[] = [page.accountId, size + 1];
  const where = conditions.map(({ column, operator, value }) => {
    if (value === null) return `${alias}.${column} ${operator} null`;
    values.push(value);
    if (column === key) {
      return `${sorted(`${alias}.${key}`)} ${page.isBackward ? ">" : "<"} ${sorted(`$${values.length}`)}`;
    }
    if (operator === "in") return `${alias}.${column} = any($${values.length})`;
    return `${alias}.${column} ${operator} $${values.length}`;
  });
  const direction = page.isBackward ? "asc" : "desc";
  const text = `${listing.select} where ${[`${alias}.account_id = $1`, ...where].join(" and ")}
    order by ${sorted(`${alias}.${key}`)} ${direction} limit $2`;
  const rows = await query<Row>({ name: nameOf(listing, text), text }, values);
  const kept = rows.slice(0, size);
  return { rows: page.isBackward ? kept.reverse() : kept, hasMore: rows.length > size };
}

// Postgres cuts a statement's name at 63 bytes, and two cut alike would be one: so a digest stands for the text.
function nameOf(listing: Listing, text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `list_${listing.name}_${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
  names.set(text, name);
  return name;
}

/** The token of the page after this one in the same direction; empty when there is none. */
export function nextPageToken(page: Page, ids: readonly string[], hasMore: boolean): string {
  if (!hasMore) return "";
  return (page.isBackward ? ids[0] : ids.at(-1)) ?? "";
}

function rangeOf(range: CreateTimeRange | undefined): Filter[] {
  const { startTime, endTime } = range ?? {};
  return [
    { column: "create_time", operator: ">=", value: startTime && timestampDate(startTime) },
    { column: "create_time", operator: "<", value: endTime && timestampDate(endTime) },
  ];
}
