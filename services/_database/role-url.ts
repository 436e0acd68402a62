import { join, resolve } from "node:path";
import type { Config } from "../_runtime/config.ts";
import { portOffset } from "../_runtime/topology.ts";
import { connectOwner } from "./connect-owner.ts";
import { createPasswords } from "./create-passwords.ts";
import { createUrl } from "./embedded.ts";
import { readPostmaster } from "./embedded-postmaster.ts";
import { isRole, nameRole, type RoleName, readDatabaseId } from "./role-names.ts";

/**
 * The url with which a process connects as one of Tripe's roles. A process that `npm start` started has it in
 * `DATABASE_URL`; one started by hand, such as a tool, makes it from the data folder's key and the owner's url, and asks the
 * database for the number in the role's name: rejects as a connection does when the database is away (`isUnavailable`).
 */
export async function findRoleUrl(
  config: Pick<Config, "databaseUrl" | "dataDir" | "port">,
  role: RoleName | "owner",
): Promise<string> {
  const given = config.databaseUrl?.reveal();
  if (given !== undefined && role !== "owner" && isRole(new URL(given).username, role)) return given;
  const passwords = await createPasswords(config.dataDir);
  const owner = given ?? findEmbeddedUrl(config, passwords("tripe"));
  return role === "owner" ? owner : withUser(owner, nameRole(role, await findDatabaseId(owner)), passwords);
}

function findEmbeddedUrl({ dataDir, port }: Pick<Config, "dataDir" | "port">, password: string): string {
  const databaseDir = join(resolve(dataDir), "postgres");
  const found = readPostmaster(databaseDir)?.port ?? port + portOffset.postgres;
  return createUrl({ databaseDir, port: found, database: "tripe", user: "tripe", password });
}

async function findDatabaseId(ownerUrl: string): Promise<string> {
  const client = await connectOwner(ownerUrl, "tripe_role");
  try {
    return await readDatabaseId(client);
  } finally {
    await client.end();
  }
}

/** The same url for another user, with the password of that name. */
export function withUser(url: string, name: string, passwords: (role: string) => string): string {
  const copy = new URL(url);
  copy.username = name;
  copy.password = passwords(name);
  return copy.href;
}
