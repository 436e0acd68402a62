import { join } from "node:path";
import { type Client, DatabaseError } from "pg";
import { readKeyRing } from "../_runtime/key-files.ts";
import { type KeyKind, type KeyRing, keyFile, keyKinds, parseKeyRing } from "../_runtime/key-ring.ts";
import { createClient } from "./connect-client.ts";
import { connectOwner } from "./connect-owner.ts";
import { withSetupLock } from "./migrate.ts";
import { nameRole, readDatabaseId } from "./role-names.ts";
import { withUser } from "./role-url.ts";

/** Whose keys, and which database: a Tripe's data folder, the owner's url, and the database's name for people. */
export interface KeyOwner {
  readonly dataDir: string;
  readonly ownerUrl: string;
  readonly place: string;
  /** TRIPE_CARD_KEY, which goes before the file. */
  readonly cardKey?: string | undefined;
  /** The passwords of roles made from `database.key`; undefined without that key. */
  readonly passwords: ((role: string) => string) | undefined;
}

/** The rings that are there; a kind without keys is absent. */
export type KeyRings = ReadonlyMap<KeyKind, KeyRing>;

/** What is told apart in the database: the kinds of keys, and the key of cards' fingerprints. */
type ClaimKind = KeyKind | "fingerprint";

/** What the database says of its keys. */
export interface Claims {
  /** Whether a Tripe has been started on it. */
  readonly isUsed: boolean;
  /** The ids of the live keys of each kind; a kind without any was never claimed. */
  readonly known: ReadonlyMap<string, readonly string[]>;
  /** Of a database without claimed card keys: the ids in its sealed cards. */
  readonly sealedIds: readonly string[];
  /** Whether the password made from `database.key` opens the role that is there; undefined when there is no such role, or no key. */
  readonly opensRole: boolean | undefined;
}

/** Reads the keys of a data folder. */
export async function readKeyRings({ dataDir, cardKey }: Pick<KeyOwner, "dataDir" | "cardKey">): Promise<KeyRings> {
  const rings = new Map<KeyKind, KeyRing>();
  for (const kind of keyKinds) {
    const given = kind === "card" ? cardKey : undefined;
    const ring = given === undefined ? await readKeyRing(kind, keyFile(dataDir, kind)) : parseKeyRing(kind, given);
    if (ring !== undefined) rings.set(kind, ring);
  }
  return rings;
}

/**
 * Refuses, in one sentence, a data folder whose keys are not those of the database, before anything is altered. A database from before
 * its keys were claimed is taken when the keys open what is there.
 */
export async function checkKeys(owner: KeyOwner): Promise<void> {
  const rings = await readKeyRings(owner);
  const client = createClient({ url: owner.ownerUrl, name: "tripe_keys" });
  await client.connect();
  try {
    const claims = await readClaims(client);
    const problem = judgeKeys(rings, { ...claims, opensRole: await opensRole(client, owner, claims) }, owner);
    if (problem !== undefined) throw new Error(problem);
  } finally {
    await client.end();
  }
}

/** The ids of the live keys of a kind that the database knows; none before they were claimed. */
export async function readClaimedIds(ownerUrl: string, kind: KeyKind): Promise<readonly string[]> {
  const client = await connectOwner(ownerUrl, "tripe_keys");
  try {
    return (await readClaims(client)).known.get(kind) ?? [];
  } finally {
    await client.end();
  }
}

/** Writes the ids of the keys to the database, once its tables are there; of two Tripes that come at once, one is refused. */
export async function claimKeys(owner: KeyOwner): Promise<void> {
  const rings = await readKeyRings(owner);
  await withSetupLock(owner.ownerUrl, async (client) => {
    const problem = judgeKeys(rings, { ...(await readClaims(client)), opensRole: undefined }, owner);
    if (problem !== undefined) throw new Error(problem);
    for (const [kind, ids] of idsOf(rings)) for (const id of ids) await claimKey(client, kind, id);
  });
}

/** Writes the id of one live key. */
export async function claimKey(client: Pick<Client, "query">, kind: string, id: string): Promise<void> {
  const text = `insert into tripe.key_fingerprint (kind, key_id, create_time) values ($1, $2, statement_timestamp())
    on conflict (kind, key_id) do update set retire_time = null`;
  await client.query(text, [kind, id]);
}

/** Says what is wrong with the keys of a data folder for a database, in one sentence; undefined when nothing is. */
export function judgeKeys(
  rings: KeyRings,
  claims: Claims,
  { dataDir, place, cardKey }: Pick<KeyOwner, "dataDir" | "place" | "cardKey">,
): string | undefined {
  const secrets = join(dataDir, "secrets");
  if (rings.size === 0 && (claims.known.size > 0 || claims.isUsed)) {
    return (
      `the database ${place} belongs to the keys of another data folder, and ${secrets} has none: set TRIPE_DATA_DIR to that folder, ` +
      "restore its secrets folder from a backup, or take another database"
    );
  }
  for (const [kind, ids] of idsOf(rings)) {
    const name = nameOf(kind, { dataDir, cardKey });
    const remedy = `restore the secrets folder of this Tripe from its backup, or set TRIPE_DATA_DIR to the folder that has ${ids.length === 0 ? "it" : "them"}`;
    const known = claims.known.get(kind) ?? [];
    const isNeeded = known.length > 0 || (claims.isUsed && kind !== "webhook");
    if (ids.length === 0 && isNeeded) {
      return `${name} is missing, and the database ${place} was written with it: ${remedy}`;
    }
    const used = kind === "card" && known.length === 0 ? claims.sealedIds : known;
    const lost = used.filter((id) => !ids.includes(id));
    if (ids.length > 0 && lost.length > 0) {
      return `${name} lacks the key ${lost.join(" and ")}, with which the database ${place} was written: ${remedy}`;
    }
    // Without a row yet it is a fresh one beside a Tripe whose roles still have their old names.
    if (kind === "database" && ids.length > 0 && known.length === 0 && claims.isUsed && claims.opensRole === false) {
      return (
        `the server of the database ${place} has Tripe's roles under passwords of another ${name}, and a start would lock that Tripe out: ` +
        "set TRIPE_DATA_DIR to its folder, or take another server"
      );
    }
  }
  return undefined;
}

/** Every kind with the ids of its keys, also of those without any. */
function idsOf(rings: KeyRings): [ClaimKind, string[]][] {
  return keyKinds.flatMap((kind): [ClaimKind, string[]][] => {
    const ring = rings.get(kind);
    const own: [ClaimKind, string[]] = [kind, ring?.keys.map(({ id }) => id) ?? []];
    return ring?.fingerprint === undefined ? [own] : [own, ["fingerprint", [ring.fingerprint.id]]];
  });
}

function nameOf(kind: ClaimKind, { dataDir, cardKey }: Pick<KeyOwner, "dataDir" | "cardKey">): string {
  const file = kind === "fingerprint" ? "card" : kind;
  return file === "card" && cardKey !== undefined ? "TRIPE_CARD_KEY" : keyFile(dataDir, file);
}

async function readClaims(client: Client): Promise<Omit<Claims, "opensRole">> {
  const has = async (table: string) => {
    const { rows } = await client.query<{ is_there: boolean }>("select to_regclass($1) is not null as is_there", [
      `tripe.${table}`,
    ]);
    return rows[0]?.is_there === true;
  };
  const known = new Map<string, readonly string[]>();
  if (await has("key_fingerprint")) {
    const text = `select kind, array_agg(key_id) as ids from tripe.key_fingerprint where retire_time is null group by kind`;
    const { rows } = await client.query<{ kind: string; ids: string[] }>(text);
    for (const { kind, ids } of rows) known.set(kind, ids);
  }
  const isUsed = (await has("account")) && (await client.query("select 1 from tripe.account limit 1")).rows.length > 0;
  const sealedIds = isUsed && !known.has("card") ? await readSealedIds(client) : [];
  return { isUsed, known, sealedIds };
}

/** Each sealed card begins with its version and the id of its key (services/_runtime/seal.ts). */
async function readSealedIds(client: Client): Promise<string[]> {
  const text = "select distinct encode(substring(sealed_card from 2 for 4), 'hex') as id from tripe.payment_method";
  return (await client.query<{ id: string }>(text)).rows.map(({ id }) => id);
}

async function opensRole(client: Client, owner: KeyOwner, claims: Omit<Claims, "opensRole">) {
  if (owner.passwords === undefined || claims.known.has("database")) return undefined;
  // The second is from before the names of roles bore the number of their database.
  const names = [nameRole("reader", await readDatabaseId(client)), "tripe_reader"];
  const text = "select rolname::text as name from pg_roles where rolname = any($1) order by length(rolname) desc";
  const { rows } = await client.query<{ name: string }>(text, [names]);
  if (rows[0] === undefined) return undefined;
  const probe = createClient({ url: withUser(owner.ownerUrl, rows[0].name, owner.passwords), name: "tripe_keys" });
  try {
    await probe.connect();
    return true;
  } catch (error) {
    // invalid_password; of anything else there is nothing to be learned of the key.
    if (error instanceof DatabaseError && error.code === "28P01") return false;
    if (error instanceof DatabaseError) return undefined;
    throw error;
  } finally {
    await probe.end().catch(() => undefined);
  }
}
