import { join, resolve } from "node:path";
import type { Config } from "../_runtime/config.ts";
import { portOffset } from "../_runtime/topology.ts";
import { createPasswords, createUrl } from "./embedded.ts";
import { readPostmaster } from "./embedded-postmaster.ts";
import type { RoleName } from "./roles.ts";

/**
 * The url with which a process connects as one of Tripe's roles. A process that `npm start` started has it in
 * `DATABASE_URL`; one started by hand, such as a tool, makes it from the data folder's key and the server's url.
 */
export async function findRoleUrl(
  config: Pick<Config, "databaseUrl" | "dataDir" | "port">,
  role: RoleName | "owner",
): Promise<string> {
  const given = config.databaseUrl?.reveal();
  const name = role === "owner" ? "tripe" : `tripe_${role}`;
  if (given !== undefined && (role === "owner" || new URL(given).username === name)) return given;
  const password = (await createPasswords(config.dataDir))(name);
  if (given === undefined) {
    const databaseDir = join(resolve(config.dataDir), "postgres");
    const port = readPostmaster(databaseDir)?.port ?? config.port + portOffset.postgres;
    return createUrl({ databaseDir, port, database: "tripe", user: name, password });
  }
  const url = new URL(given);
  url.username = name;
  url.password = password;
  return url.href;
}
