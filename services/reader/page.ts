import { createHash } from "node:crypto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { CreateTimeRange } from "../../gen/tripe/reader/v1/create_time_range_pb.ts";
import type { Query } from "../_database/connect.ts";
import { refuse } from "../_runtime/errors.ts";

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
  readonly table: string;
  /** The table's alias. */
  readonly alias: string;
  /** The id's column: ids sort by time of creation. */
  readonly key: string;
  /** Why a cursor is refused that is none of its ids. */
  readonly missingReason: string;
  /** Whether the ids have several prefixes: they are then sorted by what follows. */
  readonly hasPrefixes?: boolean;
}

/** A condition on a column; a value of undefined sets none. */
export interface Filter {
  readonly column: string;
  readonly operator: "=" | ">=" | "<" | "is" | "is not" | "in";
  /** Null for `is` and `is not`; a list for `in`. */
  readonly value: string | boolean | Date | readonly string[] | null | undefined;
  /** Whether the column's index holds no empty text: then only a statement that says so can use it. */
  readonly isIndexedWhenGiven?: boolean;
}

// As many as there are listings times their filters: some hundred texts, made of our own words alone.
const names = new Map<string, string>();

/** Stripe's default. */
const SIZE_DEFAULT = 10;

/**
 * Reads one page, newest first, by the key: never by an offset, so a page costs the same wherever it is. One row more than
 * the page tells whether there is a next one in the same direction. Within a range of creation the order is by that time,
 * then by the key: the index of the times then leads to the page, however far back it is. Refuses as `requireCursor` does.
 */
export async function readPage<Row>(
  query: Query,
  listing: Listing,
  page: Page,
  filters: readonly Filter[],
): Promise<{ rows: Row[]; hasMore: boolean }> {
  const size = page.pageSize === 0 ? SIZE_DEFAULT : page.pageSize;
  const { name, text, values } = statementOf(listing, { ...page, pageSize: size }, filters);
  const rows = await query<Row>({ name, text }, values);
  if (rows.length === 0) await requireCursor(query, listing, page);
  const kept = rows.slice(0, size);
  return { rows: page.isBackward ? kept.reverse() : kept, hasMore: rows.length > size };
}

/**
 * Refuses with the listing's reason, NOT_FOUND, a cursor that is not an id of the account's. What comes after such a one is
 * nothing, so only an empty page needs to ask.
 */
export async function requireCursor(
  query: Query,
  { name, table, key, missingReason }: Listing,
  page: Page,
): Promise<void> {
  const { accountId, pageToken } = page;
  if (pageToken === "") return;
  const text = `select from ${table} where account_id = $1 and ${key} = $2`;
  const rows = await query({ name: `cursor_of_${name}`, text }, [accountId, pageToken]);
  if (rows.length === 0) refuse(Code.NotFound, missingReason, `no row ${pageToken} of ${table}`, "page_token");
}

function statementOf(listing: Listing, page: Page, filters: readonly Filter[]) {
  const { alias } = listing;
  const range = rangeOf(page.createTimeRange).filter(isSet);
  const given = [...filters, ...range].filter(isSet);
  const values: unknown[] = [page.accountId];
  const limit = limitOf(page.pageSize + 1, given, values);
  const where = given.map((filter) => conditionOf(`${alias}.${filter.column}`, filter, values));
  const key = sortedBy(listing, `${alias}.${listing.key}`);
  const order = range.length === 0 ? [key] : [`${alias}.create_time`, key];
  if (page.pageToken !== "") where.push(cursorOf(listing, page, order, values));
  const direction = page.isBackward ? "asc" : "desc";
  const text = `${listing.select} where ${[`${alias}.account_id = $1`, ...where].join(" and ")}
    order by ${order.map((column) => `${column} ${direction}`).join(", ")} limit ${limit}`;
  return { name: nameOf(listing, text), text, values };
}

/** Stripe's default, and what programs ask for that read everything. */
const commonSizes: ReadonlySet<number> = new Set([SIZE_DEFAULT, 100]);

// Of a limit that is a parameter, Postgres expects a tenth of the table, so that a plan for every value seems too dear to it and it
// plans the list anew each time, which takes longer than reading it. A list with filters is planned for their values.
function limitOf(count: number, filters: readonly Filter[], values: unknown[]): string {
  const isPlain = filters.every(({ value }) => value === null);
  if (isPlain && commonSizes.has(count - 1)) return String(count);
  values.push(count);
  return `$${values.length}`;
}

function conditionOf(column: string, { operator, value, isIndexedWhenGiven }: Filter, values: unknown[]): string {
  if (value === null) return `${column} ${operator} null`;
  values.push(value);
  if (operator === "in") return `${column} = any($${values.length})`;
  const condition = `${column} ${operator} $${values.length}`;
  return isIndexedWhenGiven === true ? `${condition} and ${column} <> ''` : condition;
}

/** What comes after a row, in the order of the list: a row that is not there has nothing after it. */
function cursorOf(listing: Listing, page: Page, order: readonly string[], values: unknown[]): string {
  values.push(page.pageToken);
  const token = `$${values.length}`;
  const operator = page.isBackward ? ">" : "<";
  const row = `from ${listing.table} where account_id = $1 and ${listing.key} = ${token}`;
  if (order.length === 1) return `${order[0]} ${operator} ${sortedBy(listing, token)} and exists (select ${row})`;
  const time = `(select create_time ${row})`;
  return `(${order.join(", ")}) ${operator} (${time}, ${sortedBy(listing, token)})`;
}

function sortedBy({ hasPrefixes }: Listing, id: string): string {
  return hasPrefixes === true ? `split_part(${id}, '_', 2)` : id;
}

function isSet({ value }: Filter): boolean {
  return value !== undefined;
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
