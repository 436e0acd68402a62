import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { connectDatabase } from "../_database/connect.ts";
import { readConfig } from "../_runtime/config.ts";
import { readKeyRing, writeKeyRing } from "../_runtime/key-files.ts";
import { addKey, createKeyRing, formatKeyRing, type KeyKind, keyFile, parseKeyRing } from "../_runtime/key-ring.ts";
import { silentLog } from "../_runtime/log.ts";
import { createMemoryFolder } from "../_runtime/testing/memory-folder.ts";
import { reservePorts } from "../_runtime/testing/reserve-ports.ts";
import { openDatabase, prepareKeys } from "./database.ts";

async function setup(variables: Readonly<Record<string, string>> = {}) {
  const port = await reservePorts(11);
  const dataDir = await createMemoryFolder("tripe-open-");
  onTestFinished(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const config = readConfig({ PORT: String(port), TRIPE_DATA_DIR: dataDir, ...variables });
  const seeded: string[] = [];
  const seed = async ({ secretKey }: { secretKey: string }) => void seeded.push(secretKey);
  return { config, port, seeded, open: () => openDatabase({ config, log: silentLog, seed }) };
}

test("an opened database is migrated, lets every role in, and keeps its key over a restart", async () => {
  const { open, port, seeded } = await setup();
  const first = await open();
  for (const role of ["reader", "writer", "audit"] as const) {
    const database = connectDatabase({ url: first.urls[role], role, connectionsMax: 2, log: silentLog });
    await database.ping();
    await database.close();
  }
  expect(first.secretKey).toMatch(/^sk_test_[0-9A-Za-z]{32}$/);
  expect(first.place).toBe(`127.0.0.1:${port + 10}`);
  await first.close();
  const second = await open();
  await second.close();
  expect(seeded).toEqual([first.secretKey, first.secretKey]);
});

test("a start without the keys its database was written with is refused in words, and makes none", async () => {
  const { open, config } = await setup();
  expect(await prepareKeys(config)).toBe(true);
  await (await open()).close();
  const lose = async (kind: KeyKind) => {
    const file = keyFile(config.dataDir, kind);
    await rename(file, `${file}.kept`);
    // Postgres' own folder is there, so nothing is made that could hide the loss.
    expect(await prepareKeys(config)).toBe(false);
    await expect(open()).rejects.toThrow(
      new RegExp(`^${file} is missing, and .*(was written with it|opens with it alone): restore the secrets folder`),
    );
    await expect(stat(file)).rejects.toThrow("ENOENT");
    await rename(`${file}.kept`, file);
  };
  for (const kind of ["card", "request", "database"] as const) await lose(kind);
  const file = keyFile(config.dataDir, "database");
  const kept = await readFile(file);
  await writeFile(file, formatKeyRing(createKeyRing("database")));
  await expect(open()).rejects.toThrow("refuses the password made from secrets/database.key beside it: restore");
  await writeFile(file, kept);
  await (await open()).close();

  // A new key is used from the next start on, for the owner too; the older one is then of no use to anybody.
  const ring = parseKeyRing("database", kept.toString());
  const [fresh] = addKey(ring).keys;
  if (fresh === undefined) throw new Error("there is a new key");
  await writeKeyRing(file, { ...ring, keys: [ring.first, fresh] });
  const ids = async () => (await readKeyRing("database", file))?.keys.map(({ id }) => id);
  await (await open()).close();
  expect(await ids()).toEqual([fresh.id, ring.first.id]);
  const again = await open();
  const database = connectDatabase({ url: again.urls.writer, role: "writer", connectionsMax: 2, log: silentLog });
  await database.ping();
  await database.close();
  await again.close();
});

test("a data folder that another running Tripe uses is refused in words", async () => {
  const { open, config } = await setup({ TRIPE_SECRET_KEY: "sk_test_12345678" });
  const first = await open();
  expect(first.secretKey).toBe("sk_test_12345678");
  await expect(open()).rejects.toThrow(`Another Tripe runs on the data folder ${config.dataDir}`);
  await first.close();
});

test("a seed that fails ends the Postgres that was started for it", async () => {
  const { config } = await setup();
  const seed = () => Promise.reject(new Error("no seed"));
  await expect(openDatabase({ config, log: silentLog, seed })).rejects.toThrow("no seed");
  const { open } = await setup();
  await (await open()).close();
});
