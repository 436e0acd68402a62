import { isUnavailable } from "./connect-client.ts";

/**
 * What Postgres answers when it cannot do its work now, whatever the statement: by code, or by class (the first two
 * characters), after "the database". See PostgreSQL's appendix "Error Codes".
 */
const wordsByCode: Readonly<Record<string, string>> = {
  "53100": "refuses writes: its disk is full",
  "53200": "is out of memory",
  "53300": "has no connection free",
  "53": "is out of resources",
  "25006": "refuses writes: it is read-only",
  "25P03": "ended the connection",
  "28P01": "refuses the password of its role",
  "28": "refuses its role",
  "3D": "has no database of that name",
  "57P03": "is starting, stopping or recovering",
  "57P": "is stopping",
  "58": "cannot use its disk",
  "08": "ended the connection",
  ECONNREFUSED: "is not there: nothing listens",
  ENOENT: "is not there: nothing listens",
  ENOTFOUND: "is not there: its name is not known",
  EAI_AGAIN: "is not there: its name is not known",
  EHOSTUNREACH: "is not there: no way leads to it",
};

const silent = /^(Query read timeout|timeout e)/;

/**
 * Says why the database cannot serve now, as words that follow "the database"; undefined when the error is about the
 * statement. Whether the statement took effect is unknown. Nothing of the statement, its values or an address is repeated.
 */
export function outageOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AggregateError) return error.errors.map(outageOf).find((words) => words !== undefined);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const words = wordsByCode[code] ?? wordsByCode[code.slice(0, 3)] ?? wordsByCode[code.slice(0, 2)];
  if (words !== undefined) return words;
  if (!isUnavailable(error)) return undefined;
  return silent.test(error.message) ? "does not answer" : "ended the connection";
}
