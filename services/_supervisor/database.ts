import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkRoles } from "../_database/check-roles.ts";
import { checkServer } from "../_database/check-server.ts";
import { createClient } from "../_database/connect-client.ts";
import { createPasswords } from "../_database/create-passwords.ts";
import { startEmbedded } from "../_database/embedded.ts";
import { explainRefusal } from "../_database/explain-refusal.ts";
import { keepSecret } from "../_database/kept-secret.ts";
import { checkKeys, claimKeys, readClaimedIds } from "../_database/key-claims.ts";
import { migrate } from "../_database/migrate.ts";
import { setOwnerPassword, setRoles } from "../_database/roles.ts";
import { sealPlainSecrets } from "../_database/seal-secrets.ts";
import type { SeedOptions } from "../_database/seed.ts";
import { systemClock } from "../_runtime/clock.ts";
import type { Config } from "../_runtime/config.ts";
import { placeOfDatabase } from "../_runtime/database-url.ts";
import { makeKeyFiles, openKeys, readKeyRing, writeKeyRing } from "../_runtime/key-files.ts";
import { type KeyKind, keyFile, keyKinds } from "../_runtime/key-ring.ts";
import type { Log } from "../_runtime/log.ts";
import { portOffset } from "../_runtime/topology.ts";
import type { RoleUrls } from "./plan.ts";

/** The database of a running Tripe. */
export interface OpenDatabase {
  readonly urls: RoleUrls;
  /** The sandbox secret key that was seeded. */
  readonly secretKey: string;
  /** Where it is, for people: never with a password. */
  readonly place: string;
  /** Ends the embedded Postgres; a database of one's own is left alone. */
  close(): Promise<void>;
}

/** What opening a database takes; `seed` makes the accounts and the key, and is harmless when they are there. */
export interface OpenOptions {
  readonly config: Config;
  readonly log: Log;
  readonly seed: (options: SeedOptions) => Promise<unknown>;
  /** Writes a line for the person at the terminal. */
  readonly say?: (words: string) => void;
}

/** Any number but that of the setup's lock (migrate.ts): "run" in ASCII. */
const runLock = "7501166";

/**
 * Starts the embedded Postgres, or takes the one of `DATABASE_URL`, and makes it ready: migrations, roles, accounts and the
 * sandbox key. Refuses, in words, a data folder that another running Tripe uses, and one whose keys are not those of the database.
 */
export async function openDatabase({ config, log, seed, say }: OpenOptions): Promise<OpenDatabase> {
  const server = await startServer(config, log, say);
  try {
    if (config.databaseUrl !== undefined) await checkServer({ url: server.ownerUrl, log });
    const keys = await keyOwnerOf(config, server);
    await checkKeys(keys);
    await makeKeyFiles(config.dataDir, config.cardKey === undefined ? [] : ["card"]);
    await useNewDatabaseKey(config, server.ownerUrl);
    const owner = { url: server.ownerUrl, passwords: await createPasswords(config.dataDir), log };
    await migrate({ url: owner.url, log });
    await claimKeys(keys);
    await sealSecrets(config, owner.url, log);
    const urls = await setRoles(owner);
    if (config.databaseUrl !== undefined) await checkRoles(urls);
    const secretKey = await readSecretKey(config);
    await seed({ ownerUrl: owner.url, secretKey, account: config.account, fee: config.fee });
    // Last: from here on the owner's url opens no more connections.
    if (config.databaseUrl === undefined) await setOwnerPassword(server.ownerUrl, owner.passwords("tripe"));
    return { urls, secretKey, place: server.place, close: server.close };
  } catch (error) {
    await server.close();
    const given = config.databaseUrl?.reveal();
    const user = given === undefined ? "" : decodeURIComponent(new URL(given).username);
    const words = given === undefined ? undefined : explainRefusal(error, server.place, user);
    throw words === undefined ? error : new Error(words, { cause: error });
  }
}

/**
 * Makes the keys of a Tripe that has no database yet, so that what needs none may start beside it. Answers whether every key is there; one
 * that is not is made, or found to be lost, once the database is open.
 */
export async function prepareKeys({ dataDir, cardKey, databaseUrl }: Config): Promise<boolean> {
  const isFresh = databaseUrl === undefined && !existsSync(join(dataDir, "postgres"));
  const elsewhere: KeyKind[] = cardKey === undefined ? [] : ["card"];
  if (isFresh) await makeKeyFiles(dataDir, elsewhere);
  return keyKinds.every((kind) => elsewhere.includes(kind) || existsSync(keyFile(dataDir, kind)));
}

async function keyOwnerOf({ dataDir, cardKey }: Config, { ownerUrl, place }: { ownerUrl: string; place: string }) {
  const hasKey = existsSync(keyFile(dataDir, "database"));
  const passwords = hasKey ? await createPasswords(dataDir) : undefined;
  return { dataDir, ownerUrl, place, cardKey: cardKey?.reveal(), passwords };
}

/** A key of `database.key` that the database does not know yet goes before the others: its passwords hold from this start on. */
async function useNewDatabaseKey({ dataDir }: Config, ownerUrl: string): Promise<void> {
  const file = keyFile(dataDir, "database");
  const [ring, known] = await Promise.all([readKeyRing("database", file), readClaimedIds(ownerUrl, "database")]);
  const fresh = known.length === 0 ? undefined : ring?.keys.find(({ id }) => !known.includes(id));
  if (ring === undefined || fresh === undefined || fresh === ring.first) return;
  const others = ring.keys.filter((key) => key !== fresh);
  await writeKeyRing(file, { ...ring, first: fresh, keys: [fresh, ...others] });
}

async function sealSecrets({ dataDir }: Config, url: string, log: Log): Promise<void> {
  const keys = openKeys({ kind: "webhook", file: keyFile(dataDir, "webhook"), clock: systemClock });
  const count = await sealPlainSecrets({ url, keys });
  if (count > 0) log.info("webhook secrets that stood in the clear were sealed", { count });
}

async function startServer(config: Config, log: Log, say: OpenOptions["say"]) {
  const given = config.databaseUrl?.reveal();
  if (given !== undefined) return { ownerUrl: given, place: placeOfDatabase(given), close: async () => undefined };
  const port = config.port + portOffset.postgres;
  const embedded = await startEmbedded({ dataDir: config.dataDir, port, log, ...(say && { say }) });
  const release = await takeRunLock(embedded.url, config.dataDir).catch(async (error: unknown) => {
    await embedded.leave();
    throw error;
  });
  const close = async () => {
    await release();
    await embedded.stop();
  };
  return { ownerUrl: embedded.url, place: new URL(embedded.url).host, close };
}

/**
 * Held on a connection, so that it ends with this process however that dies. When Postgres dies under it the lock is not
 * taken again: then only the ports keep a second Tripe off this data folder.
 */
async function takeRunLock(url: string, dataDir: string): Promise<() => Promise<void>> {
  const client = createClient({ url, name: "tripe_run" });
  client.on("error", () => undefined);
  await client.connect();
  const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1) as taken", [runLock]);
  if (rows[0]?.taken === true) return () => client.end().catch(() => undefined);
  await client.end();
  throw new Error(
    `Another Tripe runs on the data folder ${dataDir}. Stop it, or set TRIPE_DATA_DIR to another folder.`,
  );
}

/** 24 bytes as the letters and digits of base64: as hard to guess as the keys of the originals. */
function readSecretKey(config: Config): Promise<string> {
  const given = config.secretKey?.reveal();
  if (given !== undefined) return Promise.resolve(given);
  const create = () => `sk_test_${randomBytes(24).toString("base64").replaceAll(/[+/=]/g, "0")}`;
  return keepSecret(join(config.dataDir, "secrets", "api.key"), create);
}
