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
}

/** A condition on a column; a value of undefined sets none. */
export interface Filter {
  readonly column: string;
  readonly operator: "=" | ">=" | "<" | "is";
  readonly value: string | Date | null | undefined;
}

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
  const cursor: Filter[] = page.pageToken === "" ? [] : [{ column: key, operator: "<", value: page.pageToken }];
  const conditions = [...filters, ...rangeOf(page.createTimeRange), ...cursor].filter(
    ({ value }) => value !== undefined,
  );
  const values: unknown[] = [page.accountId, size + 1];
  const where = conditions.map(({ column, operator, value }) => {
    if (value === null) return `${alias}.${column} is null`;
    values.push(value);
    const isTurned = column === key && page.isBackward;
    return `${alias}.${column} ${isTurned ? ">" : operator} $${values.length}`;
  });
  const direction = page.isBackward ? "asc" : "desc";
  const text = `${listing.select} where ${[`${alias}.account_id = $1`, ...where].join(" and ")}
    order by ${alias}.${key} ${direction} limit $2`;
  const shape = conditions.map(({ column, operator, value }) => `${column}${operator}${value === null ? "null" : ""}`);
  const rows = await query<Row>({ name: `list_${listing.name}_${direction}_${shape.join("_")}`, text }, values);
  const kept = rows.slice(0, size);
  return { rows: page.isBackward ? kept.reverse() : kept, hasMore: rows.length > size };
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
