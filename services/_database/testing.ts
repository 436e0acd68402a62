import { randomBytes } from "node:crypto";
import { afterAll, inject } from "vitest";
import { createClient } from "./connect-client.ts";
import type { RoleName } from "./role-names.ts";
import { renamed, startTestServer, type TestServer, templateName } from "./testing-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    testServer: TestServer;
    /** How much of a test the soak asks for; 0 in npm test. */
    soakSize: number;
  }
}

/** A database of one test file's own: every migration run, nothing in it, and the urls of its owner and of each role. */
export interface TestDatabase {
  readonly name: string;
  readonly urls: Readonly<Record<RoleName | "owner", string>>;
  /** Removes it, whoever is still connected; when made at the top of a test file, it is removed after that file's tests. */
  drop(): Promise<void>;
}

/**
 * Clones a fresh database (about 30 ms) from the run's one Postgres, which `.config/vitest.config.ts` starts; under another
 * configuration this file's tests get a Postgres of their own (about 2 s). The owner's search_path is `tripe` too.
 * With `isEmpty` no migration has run on it.
 */
export async function createTestDatabase({ isEmpty = false } = {}): Promise<TestDatabase> {
  const server = inject("testServer") ?? (await startOwnServer());
  const name = `test_${randomBytes(6).toString("hex")}`;
  // Copying files beats copying through the WAL fourfold for an empty database (9-tried.md).
  await runAsOwner(
    server,
    `create database ${name} template ${isEmpty ? "template1" : templateName} strategy file_copy`,
  );
  const owner = new URL(renamed(server.ownerUrl, name));
  owner.searchParams.set("options", "-c search_path=tripe,public");
  const urls = {
    owner: owner.href,
    reader: renamed(server.roleUrls.reader, name),
    writer: renamed(server.roleUrls.writer, name),
    audit: renamed(server.roleUrls.audit, name),
  };
  const drop = () => runAsOwner(server, `drop database if exists ${name} with (force)`);
  afterAll(drop);
  return { name, urls, drop };
}

let ownServer: Promise<TestServer> | undefined;

function startOwnServer(): Promise<TestServer> {
  ownServer ??= startTestServer().then(({ server, stop }) => {
    afterAll(stop);
    return server;
  });
  return ownServer;
}

async function runAsOwner(server: TestServer, statement: string): Promise<void> {
  const client = createClient({ url: server.ownerUrl, name: "tripe_test" });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
