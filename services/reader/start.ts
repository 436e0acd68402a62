import { connectDatabase } from "../_database/connect.ts";
import { guardDatabase } from "../_database/guard.ts";
import { findRoleUrl } from "../_database/role-url.ts";
import type { StartService } from "../_runtime/hosting.ts";
import { createReader } from "./service.ts";

/** Reads are short and pipelined: two connections keep two cores of Postgres busy. One more is for transactions, unused. */
const CONNECTIONS_MAX = 4;

/** Starts the reader on the database, as a role that may only read. */
export const startReader: StartService<"reader"> = async ({ config, log }) => {
  const url = await findRoleUrl(config, "reader");
  const database = connectDatabase({ url, role: "reader", connectionsMax: CONNECTIONS_MAX, log });
  return { implementation: createReader({ database: guardDatabase(database) }), close: database.close };
};
