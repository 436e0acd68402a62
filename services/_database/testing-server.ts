import { describeError, type Log, silentLog } from "../_runtime/log.ts";
import { createMemoryFolder } from "../_runtime/testing/memory-folder.ts";
import { reservePorts } from "../_runtime/testing/reserve-ports.ts";
import { createClient } from "./connect-client.ts";
import { createPasswords } from "./create-passwords.ts";
import { startEmbedded } from "./embedded.ts";
import { testSettings } from "./embedded-settings.ts";
import { migrate } from "./migrate.ts";
import { type RoleUrls, setRoles } from "./roles.ts";
import { startTestingGuard } from "./start-testing-guard.ts";

/** What a test file needs to clone a database of its own: the urls of the server, with the database's name to be set. */
export interface TestServer {
  readonly ownerUrl: string;
  readonly roleUrls: RoleUrls;
}

/** The database every test's own is cloned from; nobody may be connected to it meanwhile. */
export const templateName = "tripe_template";

/**
 * Starts a Postgres for tests in a temporary folder, with a template that every migration has run on. `stop` ends it and
 * removes the folder; should this process die without, a guard process does the same.
 */
export async function startTestServer(folder?: string): Promise<{ server: TestServer; stop(): Promise<void> }> {
  const dataDir = await createMemoryFolder("tripe-test-");
  const guard = startTestingGuard(dataDir);
  const embedded = await startEmbedded({ dataDir, port: await reservePorts(1), log: quiet, settings: testSettings });
  const passwords = await createPasswords(dataDir);
  const owner = { url: renamed(embedded.url, templateName), passwords, log: quiet };
  await createTemplate(embedded.url);
  await migrate({ url: owner.url, log: quiet, ...(folder === undefined ? {} : { folder }) });
  // Clones keep the template's roles: making four for each would take longer than the clone.
  const roleUrls = await setRoles(owner);
  return {
    server: { ownerUrl: embedded.url, roleUrls },
    stop: async () => {
      await embedded.stop();
      await guard.end();
    },
  };
}

/** The same url with another database's name. */
export function renamed(url: string, database: string): string {
  const copy = new URL(url);
  copy.pathname = `/${database}`;
  return copy.href;
}

/** Only what is worth a test's output. */
const quiet: Log = {
  ...silentLog,
  error: (message, cause) => process.stderr.write(`${message}: ${describeError(cause)}\n`),
};

async function createTemplate(url: string): Promise<void> {
  const client = createClient({ url, name: "tripe_test" });
  await client.connect();
  try {
    await client.query(`create database ${templateName}`);
  } finally {
    await client.end();
  }
  const template = createClient({ url: renamed(url, templateName), name: "tripe_test" });
  await template.connect();
  try {
    await template.query("create extension pg_stat_statements with schema public");
  } finally {
    await template.end();
  }
}
