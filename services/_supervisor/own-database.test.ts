import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { connectDatabase } from "../_database/connect.ts";
import { startEmbedded } from "../_database/embedded.ts";
import { testSettings } from "../_database/embedded-settings.ts";
import { findRoleUrl } from "../_database/role-url.ts";
import { seed } from "../_database/seed.ts";
import { readConfig } from "../_runtime/config.ts";
import { makeKeyFiles } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { silentLog } from "../_runtime/log.ts";
import { createMemoryFolder } from "../_runtime/testing/memory-folder.ts";
import { reservePorts } from "../_runtime/testing/reserve-ports.ts";
import { openDatabase } from "./database.ts";

test("a Postgres of one's own serves, whose role is no superuser but may create roles", async () => {
  const { dataDir, url } = await setup();
  const config = readConfig({ DATABASE_URL: url.href, TRIPE_DATA_DIR: join(dataDir, "tripe") });
  for (const _ of ["first start", "second start"]) {
    const database = await openDatabase({ config, log: silentLog, seed });
    for (const role of ["reader", "writer", "audit"] as const) {
      const own = connectDatabase({ url: database.urls[role], role, connectionsMax: 2, log: silentLog });
      await expect(own.query({ name: "", text: "select from account" }, [])).resolves.toHaveLength(2);
      await own.close();
    }
    await database.close();
  }

  // Another data folder, or this one without its key, would lock the first Tripe out.
  const other = readConfig({ DATABASE_URL: url.href, TRIPE_DATA_DIR: join(dataDir, "other") });
  await expect(openDatabase({ config: other, log: silentLog, seed })).rejects.toThrow(
    /^the database \S+:\d+ belongs to the keys of another data folder, and .* has none: set TRIPE_DATA_DIR/,
  );
  await makeKeyFiles(other.dataDir);
  await expect(openDatabase({ config: other, log: silentLog, seed })).rejects.toThrow(
    /card.key lacks the key [0-9a-f]{8}/,
  );
  const key = keyFile(config.dataDir, "database");
  await rename(key, `${key}.kept`);
  await expect(openDatabase({ config, log: silentLog, seed })).rejects.toThrow(`${key} is missing`);
  await rename(`${key}.kept`, key);
  const first = connectDatabase({
    url: await findRoleUrl(config, "writer"),
    role: "writer",
    connectionsMax: 2,
    log: silentLog,
  });
  await first.ping();
  await first.close();

  // From before keys were claimed: the roles' passwords and the sealed cards tell whose database it is.
  const owner = connectDatabase({ url: url.href, role: "owner", connectionsMax: 2, log: silentLog });
  await owner.query({ name: "", text: "delete from tripe.key_fingerprint" }, []);
  await expect(openDatabase({ config: other, log: silentLog, seed })).rejects.toThrow("would lock that Tripe out");
  await (await openDatabase({ config, log: silentLog, seed })).close();
  const kinds = await owner.query<{ kind: string }>(
    { name: "", text: "select kind from tripe.key_fingerprint order by kind" },
    [],
  );
  expect(kinds.map(({ kind }) => kind)).toEqual(["card", "database", "fingerprint", "request", "webhook"]);
  await owner.close();
});

test("since Postgres 16 a role may alter only those that were given to it: refused in words that name the grant", async () => {
  const { dataDir, admin, url } = await setup();
  // Since Postgres 16 a role that may create roles may alter only those that were given to it.
  await admin.query({ name: "", text: "create database other_shop owner merchant" }, []);
  const [found] = await admin.query<{ role: string }>(
    { name: "", text: "select 'tripe_reader_' || oid as role from pg_database where datname = 'other_shop'" },
    [],
  );
  const roleName = found?.role ?? "";
  await admin.query({ name: "", text: `create role ${roleName}` }, []);
  const foreign = { DATABASE_URL: url.href.replace("/shop", "/other_shop"), TRIPE_DATA_DIR: join(dataDir, "foreign") };
  const openForeign = () => openDatabase({ config: readConfig(foreign), log: silentLog, seed });
  const grant = `grant ${roleName} to merchant with admin option`;
  await expect(openForeign()).rejects.toThrow(
    `may not alter Tripe's roles there: let the server's administrator run: ${grant}`,
  );
  await admin.query({ name: "", text: grant }, []);
  await openForeign();
});

test("a database of one's own that does not answer is named, without its password", async () => {
  const dataDir = await createMemoryFolder("tripe-own-");
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const config = readConfig({ DATABASE_URL: "postgres://merchant:hunter2@127.0.0.1:1/shop", TRIPE_DATA_DIR: dataDir });
  const opening = openDatabase({ config, log: silentLog, seed });
  await expect(opening).rejects.toThrow(/^the database of DATABASE_URL, 127\.0\.0\.1:1, does not answer$/);
});

/** The server of somebody else's: its own folder, and a role for Tripe such as an administrator makes. */
async function setup() {
  const dataDir = await createMemoryFolder("tripe-own-");
  onTestFinished(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const options = { dataDir: join(dataDir, "server"), port: await reservePorts(1), log: silentLog };
  const server = await startEmbedded({ ...options, settings: testSettings });
  onTestFinished(server.stop);
  const admin = connectDatabase({ url: server.url, role: "admin", connectionsMax: 2, log: silentLog });
  onTestFinished(admin.close);
  await admin.query({ name: "", text: "create role merchant login createrole password 'secret'" }, []);
  await admin.query({ name: "", text: "create database shop owner merchant" }, []);
  const url = new URL(server.url);
  Object.assign(url, { username: "merchant", password: "secret", pathname: "/shop" });
  return { dataDir, admin, url };
}
