import { Client, type ClientConfig, type CustomTypesConfig, DatabaseError, types } from "pg";
import { parseTime } from "./parse-time.ts";

/** Which database to reach, and the name the connection bears in `pg_stat_activity`. */
export interface ClientOptions {
  readonly url: string;
  readonly name: string;
  /** Sends statements without waiting for the answers of those before them. */
  readonly pipeline?: boolean;
  /** After so long without an answer to a statement its connection is given up; default 10 s. */
  readonly queryTimeoutMs?: number;
}

/** A server that does not answer a connection in this time is counted as gone; a local one answers in 5 ms. */
const connectTimeoutMs = 5_000;

/** Twice the roles' statement_timeout: the server has then long given up, so it is the connection that is dead. */
const queryTimeoutMs = 10_000;

/** What pg and the system say when the server is gone, is going, or cannot take one more connection. */
const unavailableCodes = new Set(
  "ECONNREFUSED ECONNRESET ENOENT EPIPE ETIMEDOUT EAI_AGAIN ENOTFOUND EHOSTUNREACH 57P01 57P02 57P03 53300".split(" "),
);
const unavailableWords =
  /^(Connection terminated|Client (was closed|has encountered)|timeout e|Query read timeout|Connection ended)/;

/**
 * Creates a client, not connected yet. Columns come as: int8 as bigint, numeric and date as text ("2026-02-28": a Date
 * would shift by the machine's time zone), timestamptz as Date, jsonb as what it holds, bytea as Buffer; arrays of int8 as
 * arrays of bigint, arrays of date as arrays of text.
 */
export function createClient(options: ClientOptions): Client {
  return new Client(clientConfig(options));
}

/** The settings of every connection, for a client or a pool of them. */
export function clientConfig(options: ClientOptions): ClientConfig {
  return {
    connectionString: options.url,
    application_name: options.name,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: options.queryTimeoutMs ?? queryTimeoutMs,
    keepAlive: true,
    types: columnTypes,
    pipeline: options.pipeline ?? false,
  };
}

/** Says that the database could not be reached or went away: whether the statement took effect is then unknown. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code !== undefined) return unavailableCodes.has(code) || code.startsWith("08");
  // Refused on every address of a name: an AggregateError holds the reasons.
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  return unavailableWords.test(error.message);
}

/** Says that the statement took no effect and may well succeed when run again: a deadlock or a serialization failure. */
export function isRetryable(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === "40P01" || error.code === "40001");
}

/** The name of the constraint (unique, foreign key, check, exclusion) that refused the statement; undefined for other errors. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof DatabaseError && error.code?.startsWith("23") ? error.constraint : undefined;
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The numbers of pg_type.dat that pg's own list of types leaves out. */
const int8Array: number = 1016;
const textArray: number = 1009;
const parseInt8Array: (text: string) => unknown = types.getTypeParser(int8Array);

/** By the numbers of Postgres' pg_type.dat: int8, int8[], date, date[], timestamptz; the others as pg reads them. */
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  20: BigInt,
  1016: (text) => toBigInts(parseInt8Array(text)),
  1082: (text) => text,
  1184: parseTime,
  1182: types.getTypeParser(textArray),
};

const columnTypes: CustomTypesConfig = {
  getTypeParser: (oid, format) => (format === "binary" ? undefined : parsers[oid]) ?? types.getTypeParser(oid, format),
};

function toBigInts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toBigInts);
  return typeof value === "string" ? BigInt(value) : value;
}
