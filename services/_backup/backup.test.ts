import { createHash } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { connectOwner } from "../_database/connect-owner.ts";
import { startEmbedded } from "../_database/embedded.ts";
import { testSettings } from "../_database/embedded-settings.ts";
import { migrate } from "../_database/migrate.ts";
import { seed } from "../_database/seed.ts";
import { systemClock } from "../_runtime/clock.ts";
import { makeKeyFiles } from "../_runtime/key-files.ts";
import { silentLog } from "../_runtime/log.ts";
import { createMemoryFolder } from "../_runtime/testing/memory-folder.ts";
import { reservePorts } from "../_runtime/testing/reserve-ports.ts";
import { backUp } from "./backup.ts";
import { assertProgram } from "./dump.ts";
import { readPassphrase } from "./passphrase.ts";
import { restore } from "./restore.ts";

const PASSPHRASE = "correct horse battery";
const port = await reservePorts(1);

async function start(dataDir: string) {
  const server = await startEmbedded({ dataDir, port, log: silentLog, settings: testSettings });
  onTestFinished(() => server.stop());
  const client = await connectOwner(server.url, "tripe_test");
  onTestFinished(() => client.end());
  return { ...server, client };
}

/**
 * Charges as the writer and the bank make them, as far as a backup can see: a row under the lock that attempts take, then the bank's line, then
 * the row's end.
 */
async function load(url: string, journal: string) {
  let isRunning = true;
  let count = 0;
  const client = await connectOwner(url, "tripe_load");
  const write = (text: string) =>
    client.query(`begin; lock table tripe.attempt in row exclusive mode; ${text}; commit`);
  const done = (async () => {
    for (; isRunning; count += 1) {
      await write(`insert into tripe.alert (account_id, alert_id, reason, object_id, details, create_time)
        select account_id, 'alert_${count}', 'BEGUN', '', '{}', statement_timestamp() from tripe.account where not is_live`);
      await appendFile(journal, `alert_${count}\n`);
      await write(`update tripe.alert set reason = 'SETTLED' where alert_id = 'alert_${count}'`);
    }
    await client.end();
  })();
  return {
    count: () => count,
    stop: () => {
      isRunning = false;
      return done;
    },
  };
}

test("a backup under load restores database, bank and secrets as of one moment; damage and a wrong passphrase are refused", async () => {
  const root = await createMemoryFolder("tripe-backup-");
  onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  const [dataDir, target, restored] = ["first", "backup", "second"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  await makeKeyFiles(dataDir);
  await mkdir(join(dataDir, "bank"), { recursive: true });
  const first = await start(dataDir);
  await migrate({ url: first.url, log: silentLog });
  await seed({ ownerUrl: first.url, secretKey: "sk_test_12345678" });
  const journal = join(dataDir, "bank", "journal");
  const running = await load(first.url, journal);
  const options = { dataDir, ownerUrl: first.url, isOwnServer: false, target, clock: systemClock };
  await expect.poll(running.count).toBeGreaterThan(20);
  const before = running.count();
  await backUp({ ...options, passphrase: PASSPHRASE });
  const after = running.count();
  await running.stop();
  await expect(backUp({ ...options, passphrase: PASSPHRASE })).rejects.toThrow("is there already");
  expect((await readdir(root)).sort()).toEqual(["backup", "first"]);

  const back = (passphrase?: string) => restore({ source: target, dataDir: restored, ownerUrl: undefined, passphrase });
  await expect(back()).rejects.toThrow("are sealed: set TRIPE_BACKUP_PASSPHRASE_FILE");
  await expect(back("wrong horse battery")).rejects.toThrow("the passphrase does not open the secrets");
  await expect(restore({ source: target, dataDir, ownerUrl: undefined, passphrase: PASSPHRASE })).rejects.toThrow(
    "is not empty",
  );
  await damage(target, back);
  expect(await readdir(root)).not.toContain("second");
  await first.client.end();
  await first.stop();

  await back(PASSPHRASE);
  const second = await start(restored);
  const { rows } = await second.client.query<{ alert_id: string; reason: string }>(
    "select alert_id, reason from tripe.alert",
  );
  const numbers = rows.map((row) => Number(row.alert_id.slice(6))).sort((a, b) => a - b);
  // Whole up to one moment within the backup.
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect(numbers.length).toBeGreaterThanOrEqual(before);
  expect(numbers.length).toBeLessThanOrEqual(after + 1);
  // The bank did nothing that the database does not know, and all that the database has settled.
  const lines = (await readFile(join(restored, "bank", "journal"), "utf8")).trim().split("\n");
  const ids = new Set(rows.map((row) => row.alert_id));
  expect(lines.filter((line) => !ids.has(line))).toEqual([]);
  const settled = rows.filter(({ reason }) => reason === "SETTLED").map((row) => row.alert_id);
  expect(settled.filter((id) => !lines.includes(id))).toEqual([]);
  for (const name of ["card.key", "database.key", "request.key", "webhook.key"]) {
    const [one, other] = await Promise.all(
      [dataDir, restored].map((dir) => readFile(join(dir, "secrets", name), "utf8")),
    );
    expect(other).toBe(one);
    expect((await stat(join(restored, "secrets", name))).mode & 0o777).toBe(0o600);
  }
  await refuseLive(second, { ...options, dataDir: restored, ownerUrl: second.url, target: join(root, "live") });
}, 60_000);

/** Breaks a copy of a backup in each way, one after the other. */
async function damage(target: string, back: (passphrase: string) => Promise<unknown>): Promise<void> {
  const heap = join(target, "database", "global", "pg_control");
  const kept = await readFile(heap);
  const cases: [() => Promise<unknown>, () => Promise<unknown>, RegExp][] = [
    [
      () => truncate(heap, 100),
      () => writeFile(heap, kept),
      /damaged: database\/global\/pg_control has 100 bytes and not the 8192/,
    ],
    [
      () => writeFile(heap, Buffer.concat([Buffer.from([kept[0] === 1 ? 2 : 1]), kept.subarray(1)])),
      () => writeFile(heap, kept),
      /damaged: database\/global\/pg_control is not as it was written/,
    ],
    [() => rm(heap), () => writeFile(heap, kept), /damaged: database\/global\/pg_control is missing/],
  ];
  for (const [spoil, mend, words] of cases) {
    await spoil();
    await expect(back(PASSPHRASE)).rejects.toThrow(words);
    await mend();
  }
  const manifest = join(target, "manifest.json");
  const text = await readFile(manifest, "utf8");
  await writeFile(manifest, text.replace('"format": 1', '"format": 2'));
  await expect(back(PASSPHRASE)).rejects.toThrow("manifest.json is not as it was written");
  await rm(manifest);
  await expect(back(PASSPHRASE)).rejects.toThrow("is no whole backup: it has no manifest.json");
  await writeFile(manifest, text);
  // A manifest that fits itself, but not the sealed secrets.
  const hash = join(target, "manifest.sha256");
  const keptHash = await readFile(hash);
  const forged = text.replace('"time": "2', '"time": "3');
  await writeFile(manifest, forged);
  await writeFile(hash, createHash("sha256").update(forged).digest("hex"));
  await expect(back(PASSPHRASE)).rejects.toThrow("the passphrase does not open the secrets");
  await writeFile(manifest, text);
  await writeFile(hash, keptHash);
}

async function refuseLive(
  { client }: { client: Awaited<ReturnType<typeof connectOwner>> },
  options: Omit<Parameters<typeof backUp>[0], "passphrase">,
): Promise<void> {
  await client.query(`insert into tripe.api_key (account_id, api_key_id, key_sha256, kind, last4, create_time)
    select account_id, 'key_live', sha256('live'), 'secret', 'live', statement_timestamp() from tripe.account where is_live`);
  await expect(backUp({ ...options, passphrase: undefined })).rejects.toThrow("this Tripe has live keys or data");
}

test("pg_dump is refused where it is missing or older than the server, and a short passphrase everywhere", async () => {
  await expect(assertProgram("pg_dump", 99)).rejects.toThrow(
    /^pg_dump is (not on this machine: install Postgres' client programs, version 99|of Postgres \d+, and the server of Postgres 99)/,
  );
  const file = join(await createMemoryFolder("tripe-passphrase-"), "passphrase");
  await expect(readPassphrase(file)).rejects.toThrow("cannot be read");
  await writeFile(file, "short\n");
  await expect(readPassphrase(file)).rejects.toThrow("at least 12 characters");
  await writeFile(file, `${PASSPHRASE}\n`);
  expect(await readPassphrase(file)).toBe(PASSPHRASE);
});
