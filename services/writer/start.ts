import { connectDatabase } from "../_database/connect.ts";
import { guardDatabase } from "../_database/guard.ts";
import { findRoleUrl } from "../_database/role-url.ts";
import type { StartService } from "../_runtime/hosting.ts";
import { openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { createWriter } from "./service.ts";

/** A few held connections carry the hot statements, each a commit of many; the rest are for transactions. */
const CONNECTIONS_MAX = 12;

/** Starts the writer on the database. */
export const startWriter: StartService<"writer"> = async ({ config, log, clock }) => {
  const url = await findRoleUrl(config, "writer");
  const database = connectDatabase({ url, role: "writer", connectionsMax: CONNECTIONS_MAX, log });
  const webhookKeys = openKeys({ kind: "webhook", file: keyFile(config.dataDir, "webhook"), clock });
  const implementation = createWriter({ database: guardDatabase(database), clock, webhookKeys });
  return { implementation, close: database.close };
};
