import type { Client } from "pg";
import type { Clock } from "../_runtime/clock.ts";
import { openKeys, readKeyRing, writeKeyRing } from "../_runtime/key-files.ts";
import { addKey, type KeyKind, type KeyRing, keepFirstKey, keyFile } from "../_runtime/key-ring.ts";
import { connectOwner } from "./connect-owner.ts";
import { claimKey } from "./key-claims.ts";
import { countSealedOtherwise, isSealing, type Resealed, reseal } from "./reseal.ts";

/** Which keys are rotated: those of a kind, of a data folder and its database. */
export interface RotationOptions {
  readonly kind: KeyKind;
  readonly dataDir: string;
  readonly ownerUrl: string;
  readonly clock: Clock;
}

/** A rotation that cannot be done now: its message says why, and what to do. */
export class RotationRefusal extends Error {}

/** A running process has the new key within a second, and what it sealed with the old one just before is in the database by then. */
const SETTLE_SECONDS = 60;

/** A repeated request is known for so long (README, "Idempotency"). */
const REPEAT_HOURS = 24;

/** A link to a PDF is of use so long after its invoice was due. */
const LINK_DAYS = 30;

/**
 * Puts a new key before the others, so that Tripe uses it within a second and still takes what the others made. A new database key stands
 * behind the present one, and becomes the first when Tripe is started anew: roles have one password at a time.
 */
export async function rotateKey(options: RotationOptions): Promise<KeyRing> {
  const { kind, dataDir, ownerUrl } = options;
  const file = keyFile(dataDir, kind);
  const ring = await readRing(kind, file);
  if (kind === "database") {
    if (ring.keys.length > 1) throw new RotationRefusal(`${file} has a second key already: retire the older one first`);
    const [fresh] = addKey(ring).keys;
    if (fresh !== undefined) await writeKeyRing(file, { ...ring, keys: [...ring.keys, fresh] });
    return readRing(kind, file);
  }
  const rotated = addKey(ring);
  // First the file, then the database: with the key in the file alone a start claims it; the other way round it would miss it.
  await writeKeyRing(file, rotated);
  await withOwner(ownerUrl, (client) => claimKey(client, kind, rotated.first.id));
  return rotated;
}

/** Seals anew what another key than the first has sealed, and waits before for running processes to have the first. */
export async function resealAll({ kind, dataDir, ownerUrl, clock }: RotationOptions): Promise<Resealed> {
  if (!isSealing(kind)) throw new RotationRefusal(`nothing is sealed with the ${kind} key`);
  const keys = openKeys({ kind, file: keyFile(dataDir, kind), clock });
  // Twice the time after which a process has read the file again.
  await clock.sleep(2_000);
  return withOwner(ownerUrl, (client) => reseal(client, kind, keys));
}

/** Removes every key but the first. Refuses, in one sentence, while anything needs another; `breaksLinks` gives up links to PDFs. */
export async function retireKeys(options: RotationOptions & { readonly breaksLinks: boolean }): Promise<string[]> {
  const { kind, dataDir, ownerUrl } = options;
  const file = keyFile(dataDir, kind);
  const ring = await readRing(kind, file);
  const retired = ring.keys.slice(1).map(({ id }) => id);
  if (retired.length === 0) throw new RotationRefusal(`${file} has one key, and nothing to retire`);
  await withOwner(ownerUrl, async (client) => {
    const problem = await findNeed(client, ring, options);
    if (problem !== undefined) throw new RotationRefusal(problem);
    const text = `update tripe.key_fingerprint set retire_time = statement_timestamp()
      where kind = $1 and key_id = any($2::text[])`;
    await client.query(text, [kind, retired]);
  });
  await writeKeyRing(file, keepFirstKey(ring));
  return retired;
}

async function findNeed(
  client: Client,
  { kind, first, keys }: KeyRing,
  { breaksLinks }: { readonly breaksLinks: boolean },
): Promise<string | undefined> {
  const { rows } = await client.query<{ key_id: string; age: number; create_time: Date }>(
    `select key_id, create_time, extract(epoch from statement_timestamp() - create_time)::int as age
      from tripe.key_fingerprint where kind = $1 and retire_time is null`,
    [kind],
  );
  const newest = rows.find((row) => row.key_id === first.id);
  const isPending = keys.some(({ id }) => !rows.some((row) => row.key_id === id));
  if (newest === undefined || isPending) {
    return `the ${kind} keys are in use once Tripe was started anew: stop it, start it, and retire the older key then`;
  }
  if (newest.age < SETTLE_SECONDS) {
    return `the new ${kind} key is ${newest.age} s old, and what the older one has just made may still be on its way: retire it in a minute`;
  }
  if (isSealing(kind)) {
    const count = await countSealedOtherwise(client, kind, first.id);
    return count === 0
      ? undefined
      : `${count} values are sealed with an older ${kind} key: run npm run keys -- reseal ${kind}`;
  }
  return kind === "request" ? findRequestNeed(client, newest.create_time, breaksLinks) : undefined;
}

async function findRequestNeed(client: Client, since: Date, breaksLinks: boolean): Promise<string | undefined> {
  const { rows } = await client.query<{ repeats: number; links: number }>(
    `select
      (select count(*)::int from tripe.idempotency where request_id !~ '^auto_\\w+(/\\d+)?$' and create_time < $1
        and create_time > statement_timestamp() - make_interval(hours => $2)) as repeats,
      (select count(*)::int from tripe.invoice where finalize_time < $1
        and coalesce(due_time, finalize_time) > statement_timestamp() - make_interval(days => $3)) as links`,
    [since, REPEAT_HOURS, LINK_DAYS],
  );
  const { repeats, links } = rows[0] ?? { repeats: 0, links: 0 };
  if (repeats > 0) {
    return `${repeats} requests of the last ${REPEAT_HOURS} hours are known by an older request key, and may be repeated: retire it a day after the rotation`;
  }
  if (links > 0 && !breaksLinks) {
    return `links to the PDFs of ${links} invoices name an older request key until ${LINK_DAYS} days after they were due: wait, or add --break-links`;
  }
  return undefined;
}

async function readRing(kind: KeyKind, file: string): Promise<KeyRing> {
  const ring = await readKeyRing(kind, file);
  if (ring === undefined) throw new RotationRefusal(`${file} is missing: keys rotate where Tripe's data folder is`);
  return ring;
}

async function withOwner<Answer>(url: string, work: (client: Client) => Promise<Answer>): Promise<Answer> {
  const client = await connectOwner(url, "tripe_keys");
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
